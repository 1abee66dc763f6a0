/**
 * Files on their way to the shelf, over tus 1.0. The queue lives as long as the page; what was begun is
 * remembered over a reload, and the same file chosen again goes on where it stopped.
 */

import { DetailedError, Upload, defaultOptions, type PreviousUpload } from 'tus-js-client'
import { call, post, refresh, remove } from '../base/api'
import type { Kind } from '../base/types'
import { words } from '../words'

/** The appliance wants pieces, so that a small box need not hold much. */
const PIECE = 8 * 1024 * 1024
const AT_ONCE = 2
const RETRIES = [500, 1000, 3000, 5000, 10_000]
/** After a loss of network the box is asked again so often, in milliseconds. */
const LOOK_AGAIN = 5000

type State = 'waiting' | 'checking' | 'sending' | 'paused' | 'publishing' | 'done' | 'already' | 'undone' | 'refused'

export class Item {
  state = $state<State>('waiting')
  sent = $state(0)
  /** Bytes a second, lately. */
  rate = $state(0)
  why = $state('')
  /** Of the file in the library, once it is there. */
  fileId = $state('')
  picture = $state('')
  upload: Upload | null = null
  private marks: [number, number][] = []

  constructor(
    readonly key: number,
    readonly file: File,
    /** Where it goes, below a root. */
    readonly folder: string,
  ) {
    if (file.type.startsWith('image/') && file.size < 30e6) this.picture = URL.createObjectURL(file)
  }

  get kind(): Kind {
    const kind = this.file.type.split('/')[0]
    if (kind === 'video' || kind === 'audio' || kind === 'image') return kind
    return kind === 'text' || this.file.type === 'application/pdf' ? 'document' : 'other'
  }

  get over(): boolean {
    return this.state === 'done' || this.state === 'already' || this.state === 'undone' || this.state === 'refused'
  }

  progressed(sent: number): void {
    const now = performance.now()
    this.sent = sent
    this.marks.push([now, sent])
    while (this.marks.length > 2 && now - this.marks[0]![0] > 4000) this.marks.shift()
    const [then, had] = this.marks[0]!
    if (now - then > 300) this.rate = Math.max(0, ((sent - had) / (now - then)) * 1000)
  }

  restart(): void {
    this.marks = []
    this.rate = 0
  }
}

class Queue {
  items = $state<Item[]>([])
  /** Files begun in an earlier visit and not yet chosen again. */
  unfinished = $state<PreviousUpload[]>([])
  private running = 0
  private nextKey = 1
  private timer: ReturnType<typeof setTimeout> | undefined
  private lock: WakeLockSentinel | null = null

  get here(): number {
    return this.items.filter((item) => item.state === 'already').length
  }

  get busy(): boolean {
    return this.items.some((item) => !item.over)
  }

  async start(): Promise<void> {
    this.unfinished = await defaultOptions.urlStorage!.findAllUploads().catch(() => [])
    const shown = new Set(this.items.map((item) => item.upload?.url))
    this.unfinished = this.unfinished.filter((one) => !shown.has(one.uploadUrl))
  }

  /** Takes files in; `folder` is where they go, and below it their own folders if they bring some. */
  add(files: { file: File; below?: string }[], folder: string): void {
    const fresh = files.map(({ file, below }) => new Item(this.nextKey++, file, [folder, below].filter(Boolean).join('/')))
    this.items = [...fresh, ...this.items]
    void this.lookFirst(fresh)
  }

  /** Asks in one go which of them are on the shelf already; those are not sent. */
  private async lookFirst(fresh: Item[]): Promise<void> {
    for (const item of fresh) item.state = 'checking'
    for (let at = 0; at < fresh.length; at += 200) {
      const some = fresh.slice(at, at + 200)
      try {
        const files = await Promise.all(some.map(asked))
        const answer = await post<{ files: { known: boolean; fileId?: string }[] }>('/uploads/known', { files })
        some.forEach((item, index) => {
          const told = answer.files[index]
          if (!told?.known) return
          item.state = 'already'
          item.fileId = told.fileId ?? ''
        })
      } catch {
        // Not asking costs nothing but the sending: the appliance finds equal content itself.
      }
      for (const item of some) if (item.state === 'checking') item.state = 'waiting'
      this.next()
    }
  }

  private next(): void {
    while (this.running < AT_ONCE) {
      // In the order in which they were chosen.
      const item = this.items.findLast((one) => one.state === 'waiting')
      if (!item) break
      void this.send(item)
    }
    void this.stayAwake()
  }

  private async send(item: Item): Promise<void> {
    this.running += 1
    item.state = 'sending'
    item.restart()
    try {
      await this.transfer(item)
      item.sent = item.file.size
      item.state = 'done'
    } catch (error) {
      this.failed(item, error)
    } finally {
      this.running -= 1
      this.next()
    }
  }

  private async transfer(item: Item): Promise<void> {
    const upload = (item.upload ??= await this.prepare(item))
    await new Promise<void>((resolve, reject) => {
      upload.options.onProgress = (sent) => item.progressed(sent)
      upload.options.onSuccess = () => resolve()
      upload.options.onError = reject
      upload.options.onAfterResponse = (_request, response) => {
        const id = response.getHeader('Mantel-File')
        if (id) item.fileId = id
      }
      upload.start()
    })
  }

  private async prepare(item: Item): Promise<Upload> {
    const upload = new Upload(item.file, {
      endpoint: '/files/tus',
      chunkSize: PIECE,
      retryDelays: RETRIES,
      removeFingerprintOnSuccess: true,
      metadata: {
        filename: item.file.name.normalize('NFC'),
        filetype: item.file.type,
        folder: item.folder.normalize('NFC'),
        modified: String(item.file.lastModified),
      },
      onShouldRetry: (error) => {
        const status = (error as DetailedError).originalResponse?.getStatus() ?? 0
        if (status === 401) void refresh()
        return status === 401 || status === 409 || status === 423 || status >= 500
      },
    })
    const before = (await upload.findPreviousUploads())[0]
    if (before) {
      upload.resumeFromPreviousUpload(before)
      this.unfinished = this.unfinished.filter((one) => one.uploadUrl !== before.uploadUrl)
    }
    return upload
  }

  private failed(item: Item, error: unknown): void {
    const answer = error instanceof DetailedError ? error.originalResponse : null
    if (!answer) {
      item.state = 'paused'
      clearTimeout(this.timer)
      this.timer = setTimeout(() => this.goOn(), LOOK_AGAIN)
      return
    }
    item.state = 'refused'
    const status = answer.getStatus()
    if (status === 507) item.why = words.add.full
    else item.why = said(answer.getBody()) || words.wrong.failed
  }

  /** What waited for the network tries again as soon as the box answers. */
  goOn = async (): Promise<void> => {
    const paused = this.items.filter((item) => item.state === 'paused')
    if (!paused.length) return
    try {
      await call('/healthz')
    } catch {
      clearTimeout(this.timer)
      this.timer = setTimeout(this.goOn, LOOK_AGAIN)
      return
    }
    for (const item of paused) item.state = 'waiting'
    this.next()
  }

  again(item: Item): void {
    item.upload = null
    item.state = 'waiting'
    this.next()
  }

  async undo(item: Item): Promise<void> {
    await remove(`/files/${encodeURIComponent(item.fileId)}`)
    item.state = 'undone'
  }

  clear(): void {
    for (const item of this.items) if (item.over && item.picture) URL.revokeObjectURL(item.picture)
    this.items = this.items.filter((item) => !item.over)
  }

  async forget(): Promise<void> {
    for (const one of this.unfinished) {
      if (one.uploadUrl) void Upload.terminate(one.uploadUrl).catch(() => {})
      await defaultOptions.urlStorage!.removeUpload(one.urlStorageKey)
    }
    this.unfinished = []
  }

  /** Phones stop a page whose screen sleeps; where it is allowed the screen stays on meanwhile. */
  private async stayAwake(): Promise<void> {
    if (!('wakeLock' in navigator)) return
    if (this.busy && !this.lock) {
      this.lock = await navigator.wakeLock.request('screen').catch(() => null)
      this.lock?.addEventListener('release', () => (this.lock = null))
    } else if (!this.busy) void this.lock?.release()
  }
}

/** Name, size and, where the browser may compute it and it is quick, the checksum. */
async function asked(item: Item): Promise<{ name: string; size: number; sha256?: string }> {
  const what = { name: item.file.name.normalize('NFC'), size: item.file.size }
  if (!globalThis.crypto?.subtle || item.file.size > 32 * 1024 * 1024) return what
  try {
    const hash = await crypto.subtle.digest('SHA-256', await item.file.arrayBuffer())
    return { ...what, sha256: [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, '0')).join('') }
  } catch {
    return what
  }
}

function said(body: string): string {
  try {
    const problem = JSON.parse(body) as { detail?: string; title?: string }
    return problem.detail ?? problem.title ?? ''
  } catch {
    return ''
  }
}

export const queue = new Queue()

addEventListener('online', queue.goOn)
addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') void queue.goOn()
})
addEventListener('beforeunload', (event) => {
  if (queue.busy) event.preventDefault()
})
