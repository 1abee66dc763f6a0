/** What the appliance sends and takes, as the API documents it. Times ISO 8601 UTC, sizes bytes, durations seconds. */

export type Role = 'guest' | 'viewer' | 'editor' | 'admin'
export type Kind = 'video' | 'audio' | 'image' | 'document' | 'other'

export interface User {
  id: string
  username: string
  role: Role
}

export interface LibraryFile {
  id: string
  name: string
  folder: string
  type: Kind
  mime_type: string
  size_bytes: number
  duration_sec: number | null
  resolution: string | null
  tags: string[]
  uploaded_by?: string | null
  created_at: string
  last_accessed_at?: string | null
  sha256?: string | null
  artist?: string | null
  album?: string | null
  title?: string | null
  urls?: Record<string, unknown>
  position?: number | null
  favourite?: boolean
  facts?: {
    codecs?: { video?: string; audio?: string; container?: string }
    tags?: Record<string, string>
    takenAt?: string
  }
}

export interface FilePage {
  items: LibraryFile[]
  total: number
  page: number
  page_size: number
}

export interface Folder {
  id: string
  parent_id: string | null
  name: string
  path: string
  files: number
  folders: number
  audience?: string
  /** An admin's word on it; null: by kind. */
  audience_rule?: string | null
}

/** Anything that can show or sound a file: a TV, a speaker, a Cast device. */
export interface Player {
  id: string
  name: string
  kind: 'dlna' | 'cast'
  model?: string | null
  state: string
  can_video?: boolean
  hidden?: boolean
  least_role?: Role
  volume?: number | null
  muted?: boolean | null
  /** Why the last thing did not play. */
  error?: string | null
  /** Whether it plays the file that was asked about, and why not. */
  takes?: { ok: boolean; why: string | null }
  showing?: Showing | null
}

export interface Showing {
  file_id: string
  title?: string | null
  by?: string | null
  state: string
  position: number
  duration?: number | null
  can_seek?: boolean
  has_next?: boolean
  place?: number
  files?: number
  repeat?: 'off' | 'one' | 'all'
  /** When the page heard of the position, by its own clock. */
  heard?: number
}

export interface Popular {
  fileId: string
  name: string
  streams: number
  downloads: number
  plays: number
  watchSeconds: number
  users: number
}
