/** What a link is being made for, wherever on the page somebody asked for one. */

import { title } from '../base/say'
import type { Folder, LibraryFile } from '../base/types'
import { words } from '../words'

export interface Wanted {
  files?: LibraryFile[]
  folder?: Folder
}

class Sharing {
  wanted = $state.raw<Wanted | null>(null)
}

export const sharing = new Sharing()

export function openShare(wanted: Wanted): void {
  sharing.wanted = wanted
}

/** What the link is called. */
export function nameOf({ files = [], folder }: Wanted): string {
  if (folder) return folder.name
  return files.length === 1 ? title(files[0]!) : words.counted.files(files.length)
}
