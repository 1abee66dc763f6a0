/** What the lock screen and a headset know of what plays, and what they may do (W3C Media Session). */

import { title } from '../base/say'
import type { LibraryFile } from '../base/types'

export interface Shown {
  file: LibraryFile | null
  time: number
  duration: number
  rate: number
  toggle(): void
  pause(): void
  stop(): void
  seek(to: number): void
  skip(by: number): void
  step(by: number): void
}

/** The lock screen's view of it. */
export function describe(now: Shown): void {
  if (!('mediaSession' in navigator)) return
  const { file } = now
  if (!file) {
    navigator.mediaSession.metadata = null
    return
  }
  navigator.mediaSession.metadata = new MediaMetadata({
    title: title(file),
    artist: file.artist ?? '',
    album: file.album ?? file.folder,
    artwork: [{ src: new URL(`/files/${file.id}/thumbnail?size=640`, location.href).href, sizes: '640x640' }],
  })
  const handle = (action: MediaSessionAction, then: MediaSessionActionHandler | null) => {
    try {
      navigator.mediaSession.setActionHandler(action, then)
    } catch {
      // An older browser does not know every action.
    }
  }
  handle('play', () => now.toggle())
  handle('pause', () => now.pause())
  handle('stop', () => now.stop())
  handle('seekto', (details) => now.seek(details.seekTime ?? 0))
  if (file.type === 'audio') {
    handle('previoustrack', () => now.step(-1))
    handle('nexttrack', () => now.step(1))
    handle('seekbackward', null)
    handle('seekforward', null)
  } else {
    handle('previoustrack', null)
    handle('nexttrack', null)
    handle('seekbackward', () => now.skip(-10))
    handle('seekforward', () => now.skip(10))
  }
}

let told = 0

/** How far it is, so that a lock screen draws its own line; once a second is enough. */
export function tellPlace(now: Shown): void {
  if (!('mediaSession' in navigator) || !now.duration || performance.now() - told < 1000) return
  told = performance.now()
  try {
    navigator.mediaSession.setPositionState({
      duration: now.duration,
      playbackRate: now.rate || 1,
      position: Math.min(now.time, now.duration),
    })
  } catch {
    // A browser that minds a value that another takes.
  }
}
