/** Where the lines of a long list lie: in sections, each with a head or without, in columns. Pure. */

export interface Section {
  title: string
  total: number
}

export interface Measure {
  /** Of one line and of a section's head, in pixels; `gap` below each line. */
  height: number
  head: number
  columns: number
  gap: number
}

interface Placed extends Section {
  /** Pixels from the top of the list. */
  top: number
  /** Index of its first item. */
  first: number
  lines: number
  head: number
}

export interface Layout {
  tall: number
  total: number
  sections: Placed[]
  measure: Measure
}

export interface Line {
  top: number
  /** Of a head; '' for a line of items. */
  title: string
  from: number
  to: number
}

export function layout(sections: Section[], measure: Measure): Layout {
  let top = 0
  let first = 0
  const placed = sections.map((section) => {
    const lines = Math.ceil(section.total / measure.columns)
    const head = section.title ? measure.head : 0
    const one = { ...section, top, first, lines, head }
    top += head + lines * (measure.height + measure.gap)
    first += section.total
    return one
  })
  return { tall: top, total: first, sections: placed, measure }
}

/** The lines that touch `from`..`to` pixels. */
export function lines(of: Layout, from: number, to: number): Line[] {
  const { height, gap, columns } = of.measure
  const step = height + gap
  const found: Line[] = []
  for (let at = sectionAt(of, from); at < of.sections.length; at += 1) {
    const section = of.sections[at]!
    if (section.top > to) break
    if (section.head && section.top + section.head > from) found.push({ top: section.top, title: section.title, from: section.first, to: section.first })
    const begin = section.top + section.head
    const first = Math.max(0, Math.floor((from - begin) / step))
    const last = Math.min(section.lines, Math.ceil((to - begin) / step))
    for (let line = first; line < last; line += 1) {
      const item = section.first + line * columns
      found.push({ top: begin + line * step, title: '', from: item, to: Math.min(item + columns, section.first + section.total) })
    }
  }
  return found
}

/** The last section that begins at or above this place. */
function sectionAt(of: Layout, place: number): number {
  let low = 0
  let high = of.sections.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (of.sections[middle]!.top <= place) low = middle
    else high = middle - 1
  }
  return low
}
