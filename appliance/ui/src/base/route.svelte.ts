/** Where the page is: what stands behind the `#`. The server knows one page, whatever the place. */

export class Place {
  /** The first word: home, library, file … */
  screen = $state('home')
  /** What follows it, decoded. */
  rest = $state('')
  /** The words behind `?`. */
  asked = $state<Record<string, string>>({})
  /** How many places this visit has seen: with none behind, "back" leads home. */
  depth = 0
}

export const place = new Place()

function read(): void {
  const text = location.hash.replace(/^#\/?/, '')
  const [path = '', search = ''] = text.split('?', 2)
  const [screen = '', ...rest] = path.split('/')
  place.screen = screen || 'home'
  place.rest = decode(rest.join('/'))
  place.asked = Object.fromEntries(new URLSearchParams(search))
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export function follow(): void {
  read()
  addEventListener('hashchange', () => {
    place.depth += 1
    read()
  })
}

/** The address of a place, for `href`. */
export function to(screen: string, rest = '', asked: Record<string, string | undefined> = {}): string {
  const words = Object.entries(asked).filter((pair): pair is [string, string] => !!pair[1])
  const path = rest.split('/').map(encodeURIComponent).join('/')
  const search = words.length ? '?' + new URLSearchParams(words) : ''
  return '#/' + (screen === 'home' ? '' : screen) + (rest ? '/' + path : '') + search
}

export function go(address: string): void {
  location.hash = address
}

/** The same screen with other words, without a step for "back" (for search as you type). */
export function replace(address: string): void {
  history.replaceState(null, '', address)
  read()
}

export function back(): void {
  if (place.depth > 0) {
    place.depth -= 2
    history.back()
  } else {
    go(to('home'))
  }
}
