/** Several files at once: which are chosen, and what is done with all of them. */

import { SvelteMap } from 'svelte/reactivity'
import { Problem, post } from '../base/api'
import type { LibraryFile } from '../base/types'
import { words } from '../words'
import * as library from './ask'

class Selection {
  on = $state(false)
  private chosen = new SvelteMap<string, LibraryFile>()

  get files(): LibraryFile[] {
    return [...this.chosen.values()]
  }

  get size(): number {
    return this.chosen.size
  }

  has(file: LibraryFile): boolean {
    return this.chosen.has(file.id)
  }

  flip(file: LibraryFile): void {
    if (!this.chosen.delete(file.id)) this.chosen.set(file.id, file)
  }

  add(files: LibraryFile[]): void {
    for (const file of files) this.chosen.set(file.id, file)
  }

  begin(file?: LibraryFile): void {
    this.on = true
    if (file) this.add([file])
  }

  end(): void {
    this.on = false
    this.chosen.clear()
  }

  /** Does it to each; what worked leaves the selection. Returns what to say. */
  async each(act: (file: LibraryFile) => Promise<unknown>, said: (n: number) => string): Promise<string> {
    const all = this.files
    let done = 0
    let wrong: unknown = null
    for (const file of all) {
      try {
        await act(file)
        this.chosen.delete(file.id)
        done += 1
      } catch (problem) {
        wrong = problem
        // Nobody answers, or nobody is signed in: the rest would fail as well.
        if (problem instanceof Problem && (problem.status === 0 || problem.status === 401)) break
      }
    }
    if (wrong && !done) throw wrong
    if (!this.chosen.size) this.end()
    return done === all.length ? said(done) : words.select.some(done, all.length)
  }

  trash = () => this.each((file) => library.trash(file.id), words.select.trashed)
  favour = () => this.each((file) => library.favour(file.id, true), words.select.kept)

  tag(tags: string[]): Promise<string> {
    return this.each(
      (file) => library.change(file.id, { tags: [...new Set([...file.tags, ...tags])] }),
      words.select.tagged,
    )
  }
}

export const bringBack = (ids: string[]) => Promise.all(ids.map((id) => post(`/files/${encodeURIComponent(id)}/restore`)))

export const selection = new Selection()
