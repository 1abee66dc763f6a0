/**
 * A long list of files of which only the pages in view are asked for. A hundred thousand files are
 * one number (`total`) and the few pages that somebody scrolled to.
 */

import { Problem } from '../base/api'
import type { FilePage, LibraryFile } from '../base/types'
import { files, type Wish } from './ask'

export const PAGE_SIZE = 60
/** Pages far from the view are let go. */
const KEEP = 40
/** A scan tells of changes many times a second; the list is asked anew at most so often, in milliseconds. */
const CALM = 800

interface Held {
  items: LibraryFile[]
  /** Something changed since: shown until the new answer is there. */
  stale: boolean
}

export class Listing {
  total = $state<number | null>(null)
  problem = $state<Problem | null>(null)
  /** `total` and `problem` answer the last wish, not the one before. */
  settled = $state(false)
  /** Counts every arrival, so that what shows `at()` is drawn anew. */
  private version = $state(0)
  private pages = new Map<number, Held>()
  private asked = new Map<number, AbortController>()
  private wish: Wish = {}
  private first = 1
  private last = 1
  private refreshed = 0
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(private ask: (wish: Wish, page: number, size: number, signal: AbortSignal) => Promise<FilePage> = files) {}

  /** Begins anew. What was shown stays until the first answer. */
  async open(wish: Wish): Promise<void> {
    this.wish = wish
    this.settled = false
    this.drop()
    this.first = this.last = 1
    const controller = new AbortController()
    this.asked.set(1, controller)
    try {
      const first = await this.ask(wish, 1, PAGE_SIZE, controller.signal)
      if (controller.signal.aborted) return
      this.pages.clear()
      this.pages.set(1, { items: first.items, stale: false })
      this.total = first.total
      this.problem = null
    } catch (error) {
      if (!(error instanceof Problem)) return
      this.problem = error
      if (error.status !== 0) this.total = 0
    }
    this.settled = true
    this.asked.delete(1)
    this.version += 1
  }

  /** Something changed: what is in view is asked anew, and stays where it is meanwhile. */
  refresh(): void {
    if (this.timer !== undefined) return
    const wait = Math.max(0, this.refreshed + CALM - performance.now())
    this.timer = setTimeout(() => {
      this.timer = undefined
      this.refreshed = performance.now()
      this.drop()
      for (const held of this.pages.values()) held.stale = true
      if (!this.settled) void this.open(this.wish)
      else this.wantPages()
    }, wait)
  }

  close(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.drop()
  }

  /** For drawing: whoever reads it is drawn anew when the page arrives. */
  at(index: number): LibraryFile | undefined {
    void this.version
    return this.pages.get(Math.floor(index / PAGE_SIZE) + 1)?.items[index % PAGE_SIZE]
  }

  /** Everything that is at hand, in order. */
  get loaded(): LibraryFile[] {
    void this.version
    return [...this.pages.keys()].sort((a, b) => a - b).flatMap((page) => this.pages.get(page)?.items ?? [])
  }

  /** Names a row by its file, so that a row under a finger stays the file that it was. */
  key(index: number): string {
    const page = Math.floor(index / PAGE_SIZE)
    // With the page, since a file may stand in two pages while one of them is older.
    return `${page}/${this.at(index)?.id ?? index}`
  }

  /** Makes sure that `from`..`to` are at hand or on the way. */
  want(from: number, to: number): void {
    this.first = Math.floor(from / PAGE_SIZE) + 1
    this.last = Math.max(this.first, Math.floor(to / PAGE_SIZE) + 1)
    for (const [page, controller] of this.asked) {
      if (page !== 1 && (page < this.first - 1 || page > this.last + 1)) {
        controller.abort()
        this.asked.delete(page)
      }
    }
    this.wantPages()
    if (this.pages.size > KEEP) {
      for (const page of this.pages.keys()) if (page < this.first - 10 || page > this.last + 10) this.pages.delete(page)
    }
  }

  private wantPages(): void {
    for (let page = this.first; page <= this.last; page += 1) void this.bring(page)
  }

  private drop(): void {
    for (const controller of this.asked.values()) controller.abort()
    this.asked.clear()
  }

  private async bring(page: number): Promise<void> {
    const held = this.pages.get(page)
    if ((held && !held.stale) || this.asked.has(page) || this.total === null) return
    const controller = new AbortController()
    this.asked.set(page, controller)
    try {
      const answer = await this.ask(this.wish, page, PAGE_SIZE, controller.signal)
      if (controller.signal.aborted) return
      this.pages.set(page, { items: answer.items, stale: false })
      this.total = answer.total
      this.problem = null
      this.version += 1
    } catch {
      // Asked again as soon as somebody scrolls there.
    } finally {
      if (this.asked.get(page) === controller) this.asked.delete(page)
    }
  }
}
