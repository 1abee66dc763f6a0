/** What a request gets of a kept file (RFC 9110, 14). Pure. */

export interface Wanted {
  status: 200 | 206 | 416
  first: number
  last: number
}

/** One range is answered; several, or what is no range, get the whole, as the RFC allows. */
export function wanted(header: string | null, size: number): Wanted {
  const whole: Wanted = { status: 200, first: 0, last: size - 1 }
  const range = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '')
  if (!range || (!range[1] && !range[2])) return whole
  if (!range[1]) {
    const tail = Number(range[2])
    return tail && size ? { status: 206, first: Math.max(0, size - tail), last: size - 1 } : { status: 416, first: 0, last: -1 }
  }
  const first = Number(range[1])
  const last = range[2] ? Math.min(Number(range[2]), size - 1) : size - 1
  if (range[2] && Number(range[2]) < first) return whole
  return first < size ? { status: 206, first, last } : { status: 416, first: 0, last: -1 }
}
