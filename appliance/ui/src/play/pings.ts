/** What a player tells the appliance about itself: every ten seconds and at each turn. */

import { tell } from '../base/api'

export type PingType = 'playing' | 'paused' | 'seeked' | 'ended' | 'hidden'

interface Ping {
  fileId: string
  type: PingType
  position: number
  rate: number
  at: string
}

const EVERY = 10_000
let waiting: Ping[] = []
let timer: ReturnType<typeof setTimeout> | undefined

/** A seek drags many events behind it: those of the same moment leave together. */
export function ping(fileId: string, type: PingType, position: number, rate: number): void {
  const last = waiting.at(-1)
  if (last && last.fileId === fileId && last.type === type && type === 'seeked') waiting.pop()
  waiting.push({ fileId, type, position: Math.round(position * 10) / 10, rate, at: new Date().toISOString() })
  clearTimeout(timer)
  if (type === 'hidden' || type === 'ended') send()
  else timer = setTimeout(send, 700)
}

export function send(): void {
  clearTimeout(timer)
  if (!waiting.length) return
  tell('POST', '/events', { events: waiting.slice(-50) })
  waiting = []
}

/** A clock that pings while `playing()` says so. Returns how to stop it. */
export function every(playing: () => (() => void) | null): () => void {
  const interval = setInterval(() => playing()?.(), EVERY)
  return () => clearInterval(interval)
}
