import { expect, test } from 'vitest'
import { layout, lines } from './rows'

const measure = { height: 100, head: 40, columns: 3, gap: 10 }

test('every item lies in exactly one line, in order, and lines do not overlap', () => {
  const made = layout([{ title: 'May', total: 7 }, { title: 'April', total: 1 }, { title: 'March', total: 300 }], measure)
  const all = lines(made, 0, made.tall)
  const items = all.filter((line) => !line.title)
  expect(items.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i))).toEqual(
    Array.from({ length: 308 }, (_, i) => i),
  )
  expect(all.filter((line) => line.title).map((line) => line.title)).toEqual(['May', 'April', 'March'])
  const tops = all.map((line) => line.top)
  expect(tops).toEqual([...tops].sort((a, b) => a - b))
  expect(made.tall).toBe(3 * 40 + (3 + 1 + 100) * 110)
})

test('only what is in view is named, however long the list', () => {
  const made = layout([{ title: '', total: 100_000 }], { height: 64, head: 0, columns: 1, gap: 0 })
  const shown = lines(made, 3_200_000, 3_200_844)
  expect(shown[0]).toEqual({ top: 3_200_000, title: '', from: 50_000, to: 50_001 })
  expect(shown.length).toBe(14)
})

test('an empty list has no lines', () => {
  expect(lines(layout([], measure), 0, 1000)).toEqual([])
  expect(lines(layout([{ title: '', total: 0 }], measure), 0, 1000)).toEqual([])
})
