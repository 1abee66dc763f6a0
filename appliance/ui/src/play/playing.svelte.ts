/**
 * What plays on this phone. One film or one queue of music at a time; it goes on while people browse.
 * The screens show this and call its verbs; the media elements report back through `follow`.
 */

import { tell } from '../base/api'
import { session } from '../base/session.svelte'
import type { LibraryFile } from '../base/types'
import { whyAway } from '../library/ask'
import { describe, tellPlace } from './lockScreen'
import { every, ping } from './pings'

/** Shorter things begin at the beginning each time. */
const RESUME_FROM = 120
/** So near the end it counts as seen. */
const SEEN = 0.95

class Playing {
  file = $state<LibraryFile | null>(null)
  queue = $state<LibraryFile[]>([])
  index = $state(0)
  paused = $state(true)
  time = $state(0)
  duration = $state(0)
  rate = $state(1)
  loaded = $state(0)
  stalled = $state(false)
  /** Why it does not play here: the browser's words, '' while it does. */
  failed = $state('')
  /** Why the file cannot be had just now, in the appliance's words. */
  away = $state('')
  repeat = $state(false)
  /** It ran to its end. */
  over = $state(false)
  private element: HTMLMediaElement | null = null
  private unfollow: (() => void) | null = null
  /** Which of the file's addresses is played: as it is, its copy for phones, or repacked on the way. */
  way = $state<'stream' | 'phone' | 'remux'>('stream')
  /** Where the repacked stream began: it has no ranges, so a jump begins a new one. */
  private offset = 0
  /** Something of this file was seen or heard here. */
  began = $state(false)
  private startAt = 0
  private wanted = false

  get upNext(): LibraryFile[] {
    return this.queue.slice(this.index + 1)
  }

  /** Begins `file` here; `queue` is what it stands among. */
  open(file: LibraryFile, queue: LibraryFile[] = [file], at?: number): void {
    if (this.file?.id === file.id) {
      this.queue = queue
      this.index = Math.max(0, queue.findIndex((one) => one.id === file.id))
      return
    }
    this.report('paused')
    this.element?.pause()
    this.queue = queue
    this.index = Math.max(0, queue.findIndex((one) => one.id === file.id))
    this.load(file, at)
  }

  private load(file: LibraryFile, at?: number): void {
    const known = file.duration_sec ?? 0
    const kept = at ?? file.position ?? 0
    this.startAt = at !== undefined || (known >= RESUME_FROM && kept < known * SEEN) ? kept : 0
    this.file = file
    this.time = this.startAt
    this.duration = known
    this.loaded = 0
    this.failed = ''
    this.way = 'stream'
    this.offset = 0
    this.wanted = true
    this.over = this.began = false
    if (this.element && this.elementFits(file)) this.attach()
    describe(this)
  }

  private elementFits(file: LibraryFile): boolean {
    return (this.element instanceof HTMLVideoElement) === (file.type === 'video')
  }

  private attach(): void {
    const element = this.element
    const file = this.file
    if (!element || !file) return
    // Matroska is tried: browsers that open it do not say so.
    const tried = file.type !== 'video' || file.mime_type === 'video/x-matroska'
    if (!tried && !element.canPlayType(file.mime_type)) {
      void this.playAnother(file.id, this.startAt)
      return
    }
    element.src = `/files/${file.id}/stream`
    element.playbackRate = file.type === 'video' ? this.rate : 1
    // Without a touch of the person the browser may refuse; then the play button waits.
    if (this.wanted) element.play().catch(() => (this.paused = true))
  }

  /** Wires a media element that the page just made; returns how to let it go. */
  follow(element: HTMLMediaElement): () => void {
    this.unfollow?.()
    this.element = element
    const on = (name: string, then: () => void) => element.addEventListener(name, then)
    const events: [string, () => void][] = [
      [
        'loadedmetadata',
        () => {
          if (Number.isFinite(element.duration) && this.way !== 'remux') this.duration = element.duration
          if (this.startAt) element.currentTime = this.startAt
          this.startAt = 0
        },
      ],
      ['durationchange', () => Number.isFinite(element.duration) && this.way !== 'remux' && (this.duration = element.duration)],
      ['timeupdate', () => !this.startAt && ((this.time = this.offset + element.currentTime), tellPlace(this))],
      ['progress', () => (this.loaded = this.offset + bufferedTo(element))],
      ['waiting', () => (this.stalled = true)],
      ['playing', () => ((this.paused = this.stalled = this.over = false), (this.began = true), this.report('playing'))],
      ['pause', () => ((this.paused = true), element.ended || this.report('paused'))],
      ['seeked', () => ((this.stalled = false), this.report('seeked'))],
      ['ratechange', () => (this.rate = element.playbackRate)],
      ['ended', () => this.ended()],
      ['error', () => this.broke(element)],
    ]
    for (const [name, then] of events) on(name, then)
    const stopClock = every(() => (this.paused ? null : () => this.report('playing')))
    const letGo = () => {
      stopClock()
      for (const [name, then] of events) element.removeEventListener(name, then)
      element.removeAttribute('src')
      element.load()
      if (this.element === element) this.element = null
    }
    this.unfollow = letGo
    this.attach()
    return letGo
  }

  private broke(element: HTMLMediaElement): void {
    if (!element.getAttribute('src')) return
    const unopened = element.readyState === HTMLMediaElement.HAVE_NOTHING
    if (unopened && this.file?.type === 'video' && this.way !== 'remux') {
      void this.playAnother(this.file.id, this.startAt || this.time)
      return
    }
    this.failed = element.error?.message || 'error'
    this.away = ''
    this.paused = true
    if (this.file) void this.askWhy(this.file.id)
  }

  /** The element does not tell, the appliance does. */
  private async askWhy(id: string): Promise<void> {
    const why = await whyAway(id)
    if (this.file?.id === id) this.away = why
  }

  /** The copy for phones if there is one, else what can be made of the film on the way. */
  private async playAnother(id: string, from: number): Promise<void> {
    const copy = `/files/${encodeURIComponent(id)}/phone`
    const there = this.way === 'stream' && (await fetch(copy, { method: 'HEAD' }).catch(() => null))?.ok
    if (this.file?.id !== id || !this.element) return
    if (!there) return this.repack(from)
    this.way = 'phone'
    this.startAt = from
    this.element.src = copy
    this.element.play().catch(() => (this.paused = true))
  }

  private repack(from: number): void {
    if (!this.element || !this.file) return
    this.way = 'remux'
    this.offset = Math.floor(from)
    this.startAt = 0
    this.time = this.offset
    this.element.src = `/files/${this.file.id}/remux?start=${this.offset}`
    this.element.play().catch(() => (this.paused = true))
  }

  private ended(): void {
    this.report('ended')
    this.keepPosition(0)
    if (this.index + 1 < this.queue.length && this.file?.type === 'audio') this.step(1)
    else if (this.repeat && this.queue.length) this.jump(0)
    else this.paused = this.over = true
  }

  report(type: 'playing' | 'paused' | 'seeked' | 'ended' | 'hidden'): void {
    if (!this.file || !this.element || !this.element.getAttribute('src')) return
    ping(this.file.id, type, this.time, this.rate)
    if (type !== 'ended') this.keepPosition(this.time)
  }

  private keepPosition(position: number): void {
    const file = this.file
    if (!file || !session.may('viewer') || this.duration < RESUME_FROM) return
    file.position = position
    tell('PUT', `/files/${file.id}/position`, { seconds: Math.floor(position) })
  }

  toggle(): void {
    const element = this.element
    if (!element) return
    if (element.paused) void element.play().catch(() => {})
    else element.pause()
  }

  pause(): void {
    this.element?.pause()
  }

  seek(to: number): void {
    const end = this.duration || Infinity
    const time = Math.max(0, Math.min(to, end))
    this.time = time
    this.over = false
    if (this.way === 'remux') this.repack(time)
    else if (this.element) this.element.currentTime = time
  }

  skip(by: number): void {
    this.seek(this.time + by)
  }

  setRate(rate: number): void {
    this.rate = rate
    if (this.element) this.element.playbackRate = rate
  }

  step(by: number): void {
    if (by < 0 && this.time > 4) this.seek(0)
    else this.jump(this.index + by)
  }

  jump(index: number): void {
    const file = this.queue[index]
    if (!file) return
    this.index = index
    if (file.id === this.file?.id) this.seek(0)
    else this.load(file)
  }

  shuffle(): void {
    const rest = this.queue.slice(this.index + 1)
    for (let i = rest.length - 1; i > 0; i -= 1) {
      const j = Math.floor(Math.random() * (i + 1))
      ;[rest[i], rest[j]] = [rest[j]!, rest[i]!]
    }
    this.queue = [...this.queue.slice(0, this.index + 1), ...rest]
  }

  stop(): void {
    this.report('paused')
    this.unfollow?.()
    this.unfollow = null
    this.file = null
    this.queue = []
    this.paused = true
    describe(this)
  }
}

function bufferedTo(element: HTMLMediaElement): number {
  const { buffered, currentTime } = element
  for (let i = 0; i < buffered.length; i += 1) {
    if (buffered.start(i) <= currentTime + 0.5 && currentTime <= buffered.end(i)) return buffered.end(i)
  }
  return 0
}

export const playing = new Playing()

addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'hidden') playing.report('hidden')
})
addEventListener('pagehide', () => playing.report('hidden'))
