/** Numbers as people say them. Pure. */

/** Between a number and its unit: no line breaks there. */
const GAP = '\u00a0'
const SIZES = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** 1.1 GB; decimal, as phones and disks count. */
export function size(bytes: number): string {
  let value = Math.max(0, bytes)
  let unit = 0
  while (value >= 999.5 && unit < SIZES.length - 1) {
    value /= 1000
    unit += 1
  }
  const digits = unit === 0 || value >= 100 ? 0 : unit >= 3 ? (value >= 10 ? 1 : 2) : value >= 10 ? 0 : 1
  return `${Number(value.toFixed(digits))}${GAP}${SIZES[unit]}`
}

/** 1:48:12 or 0:42 */
export function clock(seconds: number): string {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0
  const h = Math.floor(whole / 3600)
  const m = Math.floor((whole % 3600) / 60)
  const s = String(whole % 60).padStart(2, '0')
  return h ? `${h}:${String(m).padStart(2, '0')}:${s}` : `${m}:${s}`
}

/** 1 h 48 min, 12 min, 42 s */
export function lasting(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)}${GAP}s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes}${GAP}min`
  const rest = minutes % 60
  return rest ? `${Math.floor(minutes / 60)}${GAP}h${GAP}${rest}${GAP}min` : `${minutes / 60}${GAP}h`
}

/** 2160 lines are 4K, the others are named by their lines: 1080p. Upright films count by their short side. */
export function sharpness(resolution: string): string {
  const [a = 0, b = 0] = resolution.split('x').map(Number)
  const lines = Math.min(a, b)
  if (!lines) return resolution
  if (lines >= 2160 || Math.max(a, b) >= 3840) return '4K'
  return `${lines}p`
}

/** The name without the extension, for where the kind is plain to see. */
export function bare(name: string): string {
  return name.replace(/(?<=.)\.[A-Za-z0-9]{1,5}$/, '')
}

/** 0..1 */
export function share(part: number, whole: number): number {
  return whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0
}

/** Lower case without diacritics: how search compares. */
export function folded(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
}

/** The pieces of `text`, each with whether a word of `query` is in it, a typo forgiven: what search paints. */
export function marked(text: string, query: string): { text: string; hit: boolean }[] {
  const words = folded(query).split(/[^\p{L}\p{N}]+/u).filter((word) => word.length > 1)
  if (!words.length) return [{ text, hit: false }]
  // Folded letter by letter, so that places in the folded text lead back to the original.
  const letters = [...text]
  const plain = letters.map(folded)
  const hits = letters.map(() => false)
  for (const word of words) {
    const exact = within(plain, word)
    const found = exact.length ? exact : alike(plain, word)
    for (const [start, end] of found) hits.fill(true, start, end)
  }
  const pieces: { text: string; hit: boolean }[] = []
  letters.forEach((letter, index) => {
    const last = pieces.at(-1)
    if (last && last.hit === hits[index]) last.text += letter
    else pieces.push({ text: letter, hit: hits[index] ?? false })
  })
  return pieces
}

/** Where `word` stands in the letters, as [start, end). */
function within(letters: string[], word: string): [number, number][] {
  const found: [number, number][] = []
  for (let start = 0; start < letters.length; start += 1) {
    let end = start
    let seen = ''
    while (seen.length < word.length && end < letters.length) seen += letters[end++]
    if (seen === word) found.push([start, end])
  }
  return found
}

/** Where a word begins that is `word` but for a slip or two. */
function alike(letters: string[], word: string): [number, number][] {
  const slips = word.length < 4 ? 0 : word.length < 8 ? 1 : 2
  if (!slips) return []
  const found: [number, number][] = []
  letters.forEach((letter, start) => {
    const begins = /[\p{L}\p{N}]/u.test(letter) && !/[\p{L}\p{N}]/u.test(letters[start - 1] ?? ' ')
    if (!begins) return
    let best: [number, number] | null = null
    for (let length = word.length + slips; length >= word.length - slips; length -= 1) {
      const away = distance(letters.slice(start, start + length).join(''), word)
      if (away <= slips && (!best || away < best[1])) best = [length, away]
    }
    if (best) found.push([start, Math.min(letters.length, start + best[0])])
  })
  return found
}

/** Letters to add, drop or change to come from one to the other (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}
