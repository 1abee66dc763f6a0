/** What the page does with kept files: fetch them piece by piece, renew their leases, let them go. */

import { Problem, call, get } from '../base/api'
import { session } from '../base/session.svelte'
import { toasts } from '../base/toast.svelte'
import type { LibraryFile } from '../base/types'
import { words } from '../words'
import * as store from './store'
import { LEASE, PIECE, type Pin } from './store'

class Pins {
  list = $state<Pin[]>([])
  readonly possible = isSecureContext && 'serviceWorker' in navigator && 'indexedDB' in globalThis
  private running = new Set<string>()

  of(id: string): Pin | undefined {
    return this.list.find((pin) => pin.id === id)
  }

  /** Reads what is here for whoever is signed in; what belongs to somebody else goes. */
  async load(): Promise<void> {
    if (!this.possible || !session.user) return
    const every = await store.all().catch(() => [])
    for (const pin of every) if (pin.user !== session.user.id) await store.forget(pin.id)
    this.list = every.filter((pin) => pin.user === session.user?.id)
  }

  /** Asks the box whether each may still be seen; goes on with what was not all here. */
  async renew(): Promise<void> {
    for (const pin of [...this.list]) {
      try {
        const file = await get<LibraryFile>(`/files/${encodeURIComponent(pin.id)}`)
        if (file.size_bytes !== pin.file.size_bytes) {
          await this.drop(pin.id)
          await this.keep(file)
          continue
        }
        await this.put({ ...pin, file, until: Date.now() + LEASE })
        if (!pin.done) void this.fetch(pin.id).catch(() => {})
      } catch (problem) {
        if (!(problem instanceof Problem) || problem.status === 0) return
        if (problem.status === 404 || problem.status === 403) {
          await this.drop(pin.id)
          toasts.show(words.offline.gone)
        }
      }
    }
  }

  async keep(file: LibraryFile): Promise<void> {
    if (!session.user) return
    await navigator.storage?.persist?.().catch(() => false)
    const picture = await call(`/files/${file.id}/thumbnail?size=640`).then((answer) => answer.blob(), () => undefined)
    const plain = $state.snapshot(file) as LibraryFile
    await this.put({ id: file.id, user: session.user.id, file: plain, etag: '', got: 0, done: !file.size_bytes, until: Date.now() + LEASE, picture })
    await this.fetch(file.id)
  }

  async drop(id: string): Promise<void> {
    this.list = this.list.filter((pin) => pin.id !== id)
    await store.forget(id)
  }

  /** Nobody is signed in any more by their own wish: nothing stays. */
  async clear(): Promise<void> {
    for (const pin of this.list) await store.forget(pin.id)
    this.list = []
  }

  /** The box no longer knows this session: what is here may not be seen until it does again. */
  async suspend(): Promise<void> {
    if (!this.possible) return
    for (const pin of await store.all().catch(() => [])) await store.save({ ...pin, until: 0 })
    this.list = []
  }

  private async put(pin: Pin): Promise<void> {
    await store.save(pin)
    this.show(pin)
  }

  private show(pin: Pin): void {
    this.list = [...this.list.filter((one) => one.id !== pin.id), pin]
  }

  /** Piece by piece, each kept as it comes; a lost connection goes on there. */
  private async fetch(id: string): Promise<void> {
    if (this.running.has(id)) return
    this.running.add(id)
    try {
      for (let pin = this.of(id); pin && !pin.done; pin = this.of(id)) {
        const size = pin.file.size_bytes
        const last = Math.min(pin.got + PIECE, size) - 1
        const headers: Record<string, string> = { Range: `bytes=${pin.got}-${last}` }
        if (pin.etag) headers['If-Range'] = pin.etag
        const answer = await call(`/files/${encodeURIComponent(id)}/download`, { headers })
        const etag = answer.headers.get('ETag') ?? ''
        if (pin.got && (answer.status !== 206 || etag !== pin.etag)) {
          // Other bytes by now: from the beginning.
          await answer.body?.cancel()
          await store.forget(id)
          await this.put({ ...pin, etag: '', got: 0 })
          continue
        }
        const piece = await answer.blob()
        const now = { ...pin, etag, got: pin.got + piece.size, done: pin.got + piece.size >= size }
        if (!this.of(id)) return
        await store.saveWith($state.snapshot(now) as Pin, Math.floor(pin.got / PIECE), piece)
        this.show(now)
      }
    } catch (problem) {
      if (!(problem instanceof Problem && problem.status === 0)) await this.drop(id)
      throw problem
    } finally {
      this.running.delete(id)
    }
  }
}

export const pins = new Pins()
