import { expect, test } from 'vitest'
import type { LibraryFile } from '../base/types'
import { missing } from './able'

const file = (codecs: object, mime_type = 'video/mp4') => ({ facts: { codecs }, mime_type }) as unknown as LibraryFile
const chromium = (type: string) => /avc1|mp4a|vp09|opus|flac/.test(type) || type === 'video/mp4'

test('it names the picture and the sound that the browser cannot decode', () => {
  expect(missing(file({ container: 'avi', video: 'mpeg4', audio: 'ac3' }, 'video/x-msvideo'), chromium)).toEqual([
    { what: 'video', name: 'MPEG-4 Part 2' },
    { what: 'audio', name: 'AC-3' },
  ])
})

test('with known codecs it is the container', () => {
  expect(missing(file({ container: 'mpegts', video: 'h264', audio: 'aac' }, 'video/mp2t'), chromium)).toEqual([
    { what: 'container', name: 'MPEG-TS' },
  ])
})

test('what should play but does not may be damaged', () => {
  expect(missing(file({ container: 'mp4', video: 'h264', audio: 'aac' }), chromium)).toEqual([{ what: 'unknown', name: '' }])
  expect(missing(file({}), chromium)).toEqual([{ what: 'unknown', name: '' }])
})
