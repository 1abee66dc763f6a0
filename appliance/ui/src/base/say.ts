/** Facts of the library in words. */

import { words } from '../words'
import { Problem } from './api'
import { bare, clock, lasting, sharpness, size } from './format'
import type { Folder, LibraryFile } from './types'

const DAY = 24 * 3600 * 1000

/** "2 min ago", "today", "3 days ago", then the date. */
export function ago(time: string | number, now = Date.now()): string {
  const then = typeof time === 'number' ? time : Date.parse(time)
  if (!Number.isFinite(then)) return ''
  const minutes = Math.floor((now - then) / 60000)
  if (minutes < 1) return words.when.now
  if (minutes < 60) return words.when.minutes(minutes)
  const midnight = new Date(now).setHours(0, 0, 0, 0)
  if (then >= midnight) return words.when.today
  if (then >= midnight - DAY) return words.when.yesterday
  const days = Math.ceil((midnight - then) / DAY)
  if (days < 7) return words.when.days(days)
  const date = new Date(then)
  const sameYear = date.getFullYear() === new Date(now).getFullYear()
  return date.toLocaleDateString(undefined, { day: 'numeric', month: 'short', year: sameYear ? undefined : 'numeric' })
}

/** What a person calls the file: its title, else its name without the extension of a known kind. */
export function title(file: LibraryFile): string {
  if (file.type === 'audio' && file.title) return file.title
  return file.type === 'document' || file.type === 'other' ? file.name : bare(file.name)
}

/** What lies in a folder itself: "1 folder · 2 files". */
export function holds(one: Folder): string {
  const files = one.files || !one.folders ? words.counted.files(one.files) : ''
  return [one.folders && words.counted.folders(one.folders), files].filter(Boolean).join(' · ')
}

/** The second line in a list: "Films · 2 h 28 min · 1080p". */
export function about(file: LibraryFile, withFolder = true): string {
  const parts: string[] = []
  if (file.type === 'audio' && file.artist) parts.push(file.artist)
  else if (withFolder && file.folder) parts.push(file.folder)
  if (file.duration_sec) parts.push(file.type === 'video' ? lasting(file.duration_sec) : clock(file.duration_sec))
  if (file.resolution && file.type === 'video') parts.push(sharpness(file.resolution))
  if (!file.duration_sec) parts.push(size(file.size_bytes))
  return parts.join(' · ')
}

/** One sentence for what went wrong. */
export function trouble(error: unknown): string {
  if (!(error instanceof Problem)) return words.wrong.failed
  if (error.status === 0) return words.wrong.offline
  if (error.status === 403) return words.wrong.mayNot
  if (error.status === 404) return words.wrong.notFound
  if (error.status === 429) return words.wrong.tooOften
  return error.detail || words.wrong.failed
}
