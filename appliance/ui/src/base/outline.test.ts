import { expect, test } from 'vitest'
import * as icons from './icons'
import { outline, type Shape } from './outline'

test('each shape becomes a path that draws the same', () => {
  expect(outline([['path', { d: 'M1 2h3' }]])).toBe('M1 2h3')
  expect(outline([['path', { d: 'M1 2h3' }], ['path', { d: 'm4 5 6 7' }]])).toBe('M1 2h3M0 0m4 5 6 7')
  expect(outline([['line', { x1: '1', x2: 9, y1: 2, y2: 3 }]])).toBe('M1 2L9 3')
  expect(outline([['circle', { cx: 12, cy: '12', r: 10 }]])).toBe('M2 12a10 10 0 1 0 20 0a10 10 0 1 0 -20 0z')
  expect(outline([['polyline', { points: '1 2 3 4' }]])).toBe('M1 2 3 4')
  expect(outline([['polygon', { points: '1 2 3 4 5 6' }]])).toBe('M1 2 3 4 5 6z')
  expect(outline([['rect', { x: 2, y: 3, width: 4, height: 5 }]])).toBe('M2 3h4v5h-4z')
  expect(outline([['rect', { x: 0, y: 0, width: 10, height: 8, rx: 2 }]])).toBe(
    'M2 0h6a2 2 0 0 1 2 2v4a2 2 0 0 1 -2 2h-6a2 2 0 0 1 -2 -2v-4a2 2 0 0 1 2 -2z',
  )
})

test('every icon of the page has one', () => {
  for (const [name, shapes] of Object.entries(icons)) {
    expect(outline(shapes as readonly Shape[]), name).toMatch(/^M[-\d., a-zA-Z]+$/)
  }
})

test('a shape that is not known is no icon without it', () => {
  expect(() => outline([['text', {}]])).toThrow('text')
})
