import { describe, expect, it } from 'vitest'
import { bare, clock, lasting, marked, sharpness, size } from './format'

const hits = (text: string, query: string) =>
  marked(text, query)
    .filter((piece) => piece.hit)
    .map((piece) => piece.text)

describe('numbers as people say them', () => {
  /** A number and its unit stay on one line. */
  const loose = (text: string) => text.replaceAll('\u00a0', ' ')

  it('sizes', () => {
    expect([0, 999, 1000, 612e6, 1.1e9, 4.2e9, 12.34e9, 1.59e12].map(size).map(loose)).toEqual([
      '0 B',
      '999 B',
      '1 kB',
      '612 MB',
      '1.1 GB',
      '4.2 GB',
      '12.3 GB',
      '1.59 TB',
    ])
  })

  it('times', () => {
    expect([0, 42, 191, 6492].map(clock)).toEqual(['0:00', '0:42', '3:11', '1:48:12'])
    expect([42, 720, 3600, 6492].map(lasting).map(loose)).toEqual(['42 s', '12 min', '1 h', '1 h 48 min'])
    expect(lasting(720)).toBe('12\u00a0min')
    expect(clock(NaN)).toBe('0:00')
  })

  it('pictures', () => {
    expect(['1920x1080', '1080x1920', '3840x1600', '1280x720'].map(sharpness)).toEqual(['1080p', '1080p', '4K', '720p'])
  })

  it('names lose a known kind of ending only', () => {
    expect(['film.mp4', '.hidden', 'Vol. 2', 'a.b.mkv', 'Dr. No and friends'].map(bare)).toEqual([
      'film',
      '.hidden',
      'Vol. 2',
      'a.b',
      'Dr. No and friends',
    ])
  })
})

describe('what search paints', () => {
  it('words, also within words', () => {
    expect(hits('The spider and the mango tree', 'spider man')).toEqual(['spider', 'man'])
  })

  it('a slip is forgiven', () => {
    expect(hits('Spider-Man No Way Home', 'spidr man')).toEqual(['Spider', 'Man'])
  })

  it('diacritics are folded, and the original comes back whole', () => {
    expect(hits('Ärger in Tromsø', 'arger')).toEqual(['Ärger'])
    const text = 'Ǆ ﬁne Ἀθῆναι 👩‍👩‍👧 x'
    expect(
      marked(text, 'fine x')
        .map((piece) => piece.text)
        .join(''),
    ).toBe(text)
  })
})
