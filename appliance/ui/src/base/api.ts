/**
 * The one way to the appliance. Cookies carry the session; a 401 is met by one refresh, shared by
 * all requests that wait for it, and then by the sign-in form.
 */

/** An answer that is not a success, as RFC 9457 tells it. `status` 0: no answer came at all. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    readonly detail: string,
    readonly body: Record<string, unknown> = {},
  ) {
    super(detail)
  }
}

let whenSignedOut: () => void = () => {}
let refreshing: Promise<boolean> | null = null

export function onSignedOut(then: () => void): void {
  whenSignedOut = then
}

/** Renews the session's cookies; true when that worked. */
export function refresh(): Promise<boolean> {
  refreshing ??= fetch('/auth/refresh', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
    .then((answer) => answer.ok)
    .catch(() => false)
    .finally(() => {
      refreshing = null
    })
  return refreshing
}

/** Whether the session still stands; a box that does not answer does not say that it ended. */
export async function stillSignedIn(): Promise<boolean> {
  if (await refresh()) return true
  const answer = await fetch('/auth/me').catch(() => null)
  if (answer?.status !== 401) return true
  whenSignedOut()
  return false
}

async function problem(answer: Response): Promise<Problem> {
  const body = (await answer.json().catch(() => ({}))) as Record<string, unknown>
  const text = String(body.detail ?? body.title ?? answer.statusText)
  return new Problem(answer.status, String(body.type ?? ''), text, body)
}

/** The answer to one request, or a Problem. Used as it is for bytes; for JSON see the verbs below. */
export async function call(path: string, init: RequestInit = {}, again = true): Promise<Response> {
  let answer: Response
  try {
    answer = await fetch(path, init)
  } catch (lost) {
    if (lost instanceof DOMException && lost.name === 'AbortError') throw lost
    throw new Problem(0, 'offline', '')
  }
  if (answer.status === 401 && !path.startsWith('/auth/')) {
    if (again && (await refresh())) return call(path, init, false)
    whenSignedOut()
  }
  if (!answer.ok) throw await problem(answer)
  return answer
}

async function json<T>(method: string, path: string, body?: unknown, more: RequestInit = {}): Promise<T> {
  const init: RequestInit = { method, ...more }
  if (body !== undefined) {
    init.body = JSON.stringify(body)
    init.headers = { 'content-type': 'application/json' }
  }
  const answer = await call(path, init)
  const text = await answer.text()
  return (text ? JSON.parse(text) : null) as T
}

export const get = <T>(path: string, signal?: AbortSignal) =>
  json<T>('GET', path, undefined, signal ? { signal } : {})
export const post = <T>(path: string, body: unknown = {}) => json<T>('POST', path, body)
export const put = <T>(path: string, body: unknown) => json<T>('PUT', path, body)
export const patch = <T>(path: string, body: unknown) => json<T>('PATCH', path, body)
export const remove = <T>(path: string) => json<T>('DELETE', path)

/** A message that may leave while the page is being closed; nobody waits for its answer. */
export function tell(method: string, path: string, body: unknown): void {
  void fetch(path, {
    method,
    keepalive: true,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }).catch(() => {})
}

/** `?a=1&b=2` of what is set; an empty text counts as set. */
export function query(parts: Record<string, string | number | null | undefined>): string {
  const set = Object.entries(parts).filter(([, value]) => value !== null && value !== undefined)
  return set.length ? '?' + new URLSearchParams(set.map(([key, value]) => [key, String(value)])) : ''
}
