/** What happens elsewhere, as it happens: one stream of server-sent events for the whole page. */

import { stillSignedIn } from './api'

type Hearer = (data: Record<string, unknown>) => void

const hearers = new Map<string, Set<Hearer>>()
let source: EventSource | null = null
let retry: ReturnType<typeof setTimeout> | undefined

class Live {
  /** The stream stands. After a gap every screen asks anew, since events may have been missed. */
  connected = $state(false)
  gaps = $state(0)
}

export const live = new Live()

/** Calls `hearer` at each event of that name; returns how to stop. For use in `$effect`. */
export function hear(name: string, hearer: Hearer): () => void {
  let set = hearers.get(name)
  if (!set) {
    set = new Set()
    hearers.set(name, set)
    source?.addEventListener(name, pass)
  }
  set.add(hearer)
  return () => set.delete(hearer)
}

function pass(event: MessageEvent<string>): void {
  let data: Record<string, unknown> = {}
  try {
    data = JSON.parse(event.data) as Record<string, unknown>
  } catch {
    return
  }
  for (const hearer of hearers.get(event.type) ?? []) hearer(data)
}

export function listen(): void {
  if (source) return
  const opened = new EventSource('/events/live')
  source = opened
  for (const name of hearers.keys()) opened.addEventListener(name, pass)
  // The appliance does not know any more what was missed.
  opened.addEventListener('gap', () => (live.gaps += 1))
  let broken = false
  opened.onopen = () => {
    if (broken) live.gaps += 1
    broken = false
    live.connected = true
  }
  opened.onerror = () => {
    broken = true
    live.connected = false
    if (opened.readyState !== EventSource.CLOSED) return
    // The session ended or the box restarts: a new stream, a little later.
    source = null
    clearTimeout(retry)
    retry = setTimeout(async () => {
      if (!(await stillSignedIn())) return
      live.gaps += 1
      listen()
    }, 3000)
  }
}

export function deafen(): void {
  clearTimeout(retry)
  source?.close()
  source = null
  live.connected = false
}
