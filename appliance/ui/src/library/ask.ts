/** What the screens ask the library. */

import { get, patch, put, query, remove } from '../base/api'
import type { FilePage, Folder, LibraryFile } from '../base/types'

export interface Wish {
  query?: string
  type?: string
  since?: string
  min_size?: number
  uploader?: string
  tag?: string
  folder?: string
  sort?: string
}

export function files(wish: Wish, page = 1, page_size = 60, signal?: AbortSignal): Promise<FilePage> {
  const folder = wish.folder === undefined ? undefined : wish.folder
  return get<FilePage>('/files' + query({ ...wish, folder, page, page_size }), signal)
}

export const file = (id: string) => get<LibraryFile>(`/files/${encodeURIComponent(id)}`)

export const change = (id: string, to: { name?: string; tags?: string[] }) =>
  patch<LibraryFile>(`/files/${encodeURIComponent(id)}`, to)

export const trash = (id: string) => remove<null>(`/files/${encodeURIComponent(id)}`)

export const favour = (id: string, favourite: boolean) =>
  put<null>(`/files/${encodeURIComponent(id)}/favourite`, { on: favourite })

/** Folders right in `path`; '' names the top of every root. */
export async function folders(path: string): Promise<Folder[]> {
  const answer = await get<Folder[] | { items?: Folder[]; folders?: Folder[] }>('/folders' + query({ parent: path }))
  return Array.isArray(answer) ? answer : (answer.items ?? answer.folders ?? [])
}

/** A file that somebody began, and where they stopped. */
export interface Begun {
  file: LibraryFile
  seconds: number
}

type Marked = LibraryFile | { file: LibraryFile; seconds?: number; position?: number }

async function marked(path: string): Promise<Begun[]> {
  const answer = await get<{ items: Marked[] }>(path)
  return answer.items.map((one) => {
    if ('file' in one) return { file: one.file, seconds: one.seconds ?? one.position ?? 0 }
    return { file: one, seconds: one.position ?? 0 }
  })
}

export const begun = () => marked('/me/continue')
export const favourites = () => marked('/me/favourites')

export async function position(id: string): Promise<number> {
  const answer = await get<{ seconds: number | null }>(`/files/${encodeURIComponent(id)}/position`)
  return answer.seconds ?? 0
}
