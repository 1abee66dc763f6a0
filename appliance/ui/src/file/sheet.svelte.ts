/**
 * Which file the sheet of things to do is open for. It stands beside the screens, not in a list's row: lists are
 * drawn anew when something arrives, and a button must not move or vanish under a finger.
 */

import type { LibraryFile } from '../base/types'

class FileSheet {
  file = $state.raw<LibraryFile | null>(null)
  private told: (file: LibraryFile) => void = () => {}

  /** `changed` hears the file as it is after a change that was made in the sheet. */
  open(file: LibraryFile, changed: (file: LibraryFile) => void = () => {}): void {
    this.file = file
    this.told = changed
  }

  changed(file: LibraryFile): void {
    this.file = file
    this.told(file)
  }

  close(): void {
    this.file = null
  }
}

export const fileSheet = new FileSheet()
