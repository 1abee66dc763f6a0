/**
 * A long list of files of which only the pages in view are asked for. A hundred thousand files are
 * one number (`total`) and the few pages that somebody scrolled to.
 */

import { Problem } from '../base/api'
import type { LibraryFile } from '../base/types'
import { files, type Wish } from './ask'

export const PAGE_SIZE = 60
/** Pages far from the view are let go. */
const KEEP = 40

export class Listing {
  total = $state<number | null>(null)
  problem = $state<Problem | null>(null)
  /** Counts every arrival, so that what shows `at()` is drawn anew. */
  version = $state(0)
  private pages = new Map<number, LibraryFile[]>()
  private asked = new Map<number, AbortController>()
  private wish: Wish = {}

  /** Begins anew. What was shown stays until the first answer. */
  async open(wish: Wish): Promise<void> {
    this.wish = wish
    for (const controller of this.asked.values()) controller.abort()
    this.asked.clear()
    const controller = new AbortController()
    this.asked.set(1, controller)
    try {
      const first = await files(wish, 1, PAGE_SIZE, controller.signal)
      if (controller.signal.aborted) return
      this.pages.clear()
      this.pages.set(1, first.items)
      this.total = first.total
      this.problem = null
    } catch (error) {
      if (!(error instanceof Problem)) return
      this.problem = error
      if (error.status !== 0) this.total = 0
    }
    this.asked.delete(1)
    this.version += 1
  }

  at(index: number): LibraryFile | undefined {
    return this.pages.get(Math.floor(index / PAGE_SIZE) + 1)?.[index % PAGE_SIZE]
  }

  /** Everything that is at hand, in order: what a player takes as its queue. */
  get loaded(): LibraryFile[] {
    return [...this.pages.keys()].sort((a, b) => a - b).flatMap((page) => this.pages.get(page) ?? [])
  }

  /** Makes sure that `from`..`to` are at hand or on the way. */
  want(from: number, to: number): void {
    const first = Math.floor(from / PAGE_SIZE) + 1
    const last = Math.floor(to / PAGE_SIZE) + 1
    for (const [page, controller] of this.asked) {
      if (page !== 1 && (page < first - 1 || page > last + 1)) {
        controller.abort()
        this.asked.delete(page)
      }
    }
    for (let page = first; page <= last; page += 1) void this.bring(page)
    if (this.pages.size > KEEP) {
      for (const page of this.pages.keys()) if (page < first - 10 || page > last + 10) this.pages.delete(page)
    }
  }

  private async bring(page: number): Promise<void> {
    if (this.pages.has(page) || this.asked.has(page) || this.total === null) return
    const controller = new AbortController()
    this.asked.set(page, controller)
    try {
      const answer = await files(this.wish, page, PAGE_SIZE, controller.signal)
      if (controller.signal.aborted) return
      this.pages.set(page, answer.items)
      this.total = answer.total
      this.version += 1
    } catch {
      // Asked again as soon as somebody scrolls there.
    } finally {
      if (this.asked.get(page) === controller) this.asked.delete(page)
    }
  }
}
