import { expect, test } from 'vitest'
import { wanted } from './range'

test.each([
  [null, { status: 200, first: 0, last: 99 }],
  ['bytes=0-9', { status: 206, first: 0, last: 9 }],
  ['bytes=90-', { status: 206, first: 90, last: 99 }],
  ['bytes=90-500', { status: 206, first: 90, last: 99 }],
  ['bytes=-10', { status: 206, first: 90, last: 99 }],
  ['bytes=-500', { status: 206, first: 0, last: 99 }],
  ['bytes=100-', { status: 416, first: 0, last: -1 }],
  ['bytes=-0', { status: 416, first: 0, last: -1 }],
  ['bytes=9-2', { status: 200, first: 0, last: 99 }],
  ['bytes=0-1,5-6', { status: 200, first: 0, last: 99 }],
  ['lines=0-1', { status: 200, first: 0, last: 99 }],
])('%s of 100 bytes', (header, expected) => {
  expect(wanted(header, 100)).toEqual(expected)
})
