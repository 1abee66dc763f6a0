/** What belongs to a film beside its bytes: subtitles, chapters, and where people look again. */

import { get } from '../base/api'

export interface Track {
  n: number
  label: string
  language: string | null
  url: string
}

export interface Chapter {
  start: number
  end: number
  title: string
}

export class Film {
  tracks = $state<Track[]>([])
  /** Which of them shows; -1: none. */
  track = $state(-1)
  chapters = $state<Chapter[]>([])
  /** 0..1, evenly spread over the length. */
  curve = $state<number[]>([])

  /** Asks for what belongs to this file; for `$effect`: returns how to stop listening for the answers. */
  open(id: string): () => void {
    let over = false
    this.tracks = []
    this.track = -1
    this.chapters = []
    this.curve = []
    const path = `/files/${encodeURIComponent(id)}`
    const ask = <T>(address: string, take: (answer: T) => void) =>
      void get<T>(address)
        .then((answer) => over || take(answer))
        .catch(() => {})
    ask<{ tracks: Track[] }>(`${path}/subtitles`, (answer) => (this.tracks = answer.tracks))
    ask<{ items: Chapter[] }>(`${path}/chapters`, (answer) => (this.chapters = answer.items))
    ask<{ segments: number[]; enoughData: boolean }>(`/api/analytics/heatmap?fileId=${encodeURIComponent(id)}`, (answer) => {
      if (answer.enoughData) this.curve = answer.segments
    })
    return () => (over = true)
  }

  /** The chapter that holds this moment. */
  chapterAt(time: number): Chapter | undefined {
    return this.chapters.findLast((chapter) => chapter.start <= time)
  }

  /** Seconds of the moment that was looked at most, or null. */
  mostReplayed(duration: number): number | null {
    const top = Math.max(0, ...this.curve)
    return top > 0 && duration ? (this.curve.indexOf(top) / this.curve.length) * duration : null
  }
}
