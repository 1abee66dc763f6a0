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
  return get<FilePage>('/files' + query({ ...wish, page, page_size }), signal)
}

export const file = (id: string) => get<LibraryFile>(`/files/${encodeURIComponent(id)}`)

export const change = (id: string, to: { name?: string; tags?: string[] }) =>
  patch<LibraryFile>(`/files/${encodeURIComponent(id)}`, to)

export const trash = (id: string) => remove<null>(`/files/${encodeURIComponent(id)}`)

export const favour = (id: string, favourite: boolean) =>
  put<null>(`/files/${encodeURIComponent(id)}/favourite`, { on: favourite })

/** Folders right in `path`; '' names the top of every root. */
export async function folders(path: string): Promise<Folder[]> {
  return (await get<{ items: Folder[] }>('/folders' + query({ path }))).items
}

/** A file that somebody began, and where they stopped. */
export interface Begun {
  file: LibraryFile
  seconds: number
}

export const begun = async () => (await get<{ items: Begun[] }>('/me/continue')).items
export const favourites = async () => (await get<{ items: LibraryFile[] }>('/me/favourites')).items

export async function position(id: string): Promise<number> {
  const answer = await get<{ seconds: number | null }>(`/files/${encodeURIComponent(id)}/position`)
  return answer.seconds ?? 0
}
