/** What the screens ask the library. */

import { Problem, call, get, patch, put, query, remove } from '../base/api'
import type { FilePage, Folder, LibraryFile } from '../base/types'

export interface Wish {
  query?: string
  type?: string
  since?: string
  min_size?: number
  max_size?: number
  uploader?: string
  tag?: string
  folder?: string
  artist?: string
  album?: string
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

/** Why its bytes cannot be had now, in the appliance's words: a disk that is away, a machine that wakes. */
export async function whyAway(id: string): Promise<string> {
  try {
    await call(`/files/${encodeURIComponent(id)}/stream`, { headers: { Range: 'bytes=0-0' } })
  } catch (problem) {
    if (problem instanceof Problem && problem.status === 503) return problem.detail
  }
  return ''
}

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

export interface Album {
  name: string
  artist: string
  files: number
  duration_sec: number
  /** The id of a song whose picture stands for it. */
  cover: string
}

export const albums = async () => (await get<{ items: Album[] }>('/albums')).items

/** `month` is `2026-11`; the latest comes first, as `sort=-taken` lists photos. */
export const months = async () => (await get<{ items: { month: string; files: number }[] }>('/months')).items

export const tags = async () => (await get<{ items: { name: string; files: number }[] }>('/tags')).items

/** The songs of an album as they were pressed: by disc, then track, then name. */
export async function songs(artist: string, album?: string): Promise<LibraryFile[]> {
  const { items } = await files({ type: 'audio', artist: artist || undefined, album, sort: 'name' }, 1, 200)
  if (!album) return items
  const place = (file: LibraryFile) => number(file.facts?.tags?.disc) * 1000 + number(file.facts?.tags?.track)
  return items.sort((a, b) => place(a) - place(b))
}

/** `3/12` is 3. */
const number = (text: string | undefined) => Number.parseInt(text ?? '', 10) || 0
