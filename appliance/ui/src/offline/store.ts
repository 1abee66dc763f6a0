/**
 * Files kept on this device, for the page and for the service worker: facts in one store, bytes in pieces in
 * another, so that a range of a long film is read without the rest.
 */

import type { LibraryFile } from '../base/types'

export const PIECE = 4 * 1024 * 1024
/** Milliseconds that a file may be seen after the box last said so. */
export const LEASE = 7 * 24 * 3600 * 1000

export interface Pin {
  id: string
  /** Whose it is; nobody else on this device sees it. */
  user: string
  file: LibraryFile
  /** Strong validator of the bytes (RFC 9110, 8.8.3). */
  etag: string
  /** Bytes that are here. */
  got: number
  done: boolean
  /** Epoch milliseconds at which the lease ends. */
  until: number
  picture?: Blob
}

const asked = <T>(request: IDBRequest<T>) =>
  new Promise<T>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

function opened(): Promise<IDBDatabase> {
  const request = indexedDB.open('mantel', 1)
  request.onupgradeneeded = () => {
    request.result.createObjectStore('pins', { keyPath: 'id' })
    request.result.createObjectStore('pieces')
  }
  return asked(request)
}

async function within<T>(mode: IDBTransactionMode, act: (pins: IDBObjectStore, pieces: IDBObjectStore) => Promise<T>): Promise<T> {
  const database = await opened()
  try {
    const transaction = database.transaction(['pins', 'pieces'], mode)
    const over = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(transaction.error)
    })
    over.catch(() => {})
    const answer = await act(transaction.objectStore('pins'), transaction.objectStore('pieces'))
    if (mode === 'readwrite') await over
    return answer
  } finally {
    database.close()
  }
}

const piecesOf = (id: string) => IDBKeyRange.bound([id, 0], [id, Infinity])

export const all = () => within('readonly', (pins) => asked<Pin[]>(pins.getAll()))
export const one = (id: string) => within('readonly', (pins) => asked<Pin | undefined>(pins.get(id)))
export const save = (pin: Pin) => within('readwrite', (pins) => asked(pins.put(pin)))

/** The facts and one piece, both or neither. */
export const saveWith = (pin: Pin, number: number, piece: Blob) =>
  within('readwrite', async (pins, pieces) => {
    await asked(pieces.put(piece, [pin.id, number]))
    await asked(pins.put(pin))
  })

export const forget = (id: string) =>
  within('readwrite', async (pins, pieces) => {
    await asked(pieces.delete(piecesOf(id)))
    await asked(pins.delete(id))
  })

/** Bytes `first`..`last` of a file that is wholly here. */
export async function bytes(id: string, first: number, last: number): Promise<Blob> {
  const from = Math.floor(first / PIECE)
  const to = Math.floor(last / PIECE)
  const range = IDBKeyRange.bound([id, from], [id, to])
  const found = await within('readonly', (_pins, pieces) => asked<Blob[]>(pieces.getAll(range)))
  return new Blob(found).slice(first - from * PIECE, last + 1 - from * PIECE)
}
