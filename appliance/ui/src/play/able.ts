/** Whether this browser can show a file, and what is missing where it cannot. Pure but for asking the browser. */

import type { LibraryFile } from '../base/types'

/** RFC 6381 names by which browsers know a codec, as ffprobe names it; a usual profile stands for all. */
const VIDEO: Record<string, string> = {
  h264: 'avc1.640028',
  hevc: 'hvc1.1.6.L120.90',
  av1: 'av01.0.08M.08',
  vp9: 'vp09.00.40.08',
  vp8: 'vp8',
  mpeg4: 'mp4v.20.8',
}
const AUDIO: Record<string, string> = {
  aac: 'mp4a.40.2',
  mp3: 'mp4a.6B',
  ac3: 'ac-3',
  eac3: 'ec-3',
  opus: 'opus',
  flac: 'flac',
  vorbis: 'vorbis',
  alac: 'alac',
}
const SPOKEN: Record<string, string> = {
  h264: 'H.264',
  hevc: 'HEVC',
  av1: 'AV1',
  vp9: 'VP9',
  mpeg4: 'MPEG-4 Part 2',
  mpeg2video: 'MPEG-2',
  aac: 'AAC',
  mp3: 'MP3',
  ac3: 'AC-3',
  eac3: 'E-AC-3',
  dts: 'DTS',
  truehd: 'TrueHD',
  flac: 'FLAC',
  opus: 'Opus',
  matroska: 'Matroska',
  avi: 'AVI',
  mpegts: 'MPEG-TS',
}

export const spoken = (codec: string) => SPOKEN[codec] ?? codec.toUpperCase()

type Takes = (type: string) => boolean

const asksBrowser: Takes = (type) => document.createElement('video').canPlayType(type) !== ''

export interface Missing {
  what: 'container' | 'video' | 'audio' | 'unknown'
  name: string
}

/** What keeps this browser from playing the file; the sound alone does not. */
export function missing(file: LibraryFile, takes: Takes = asksBrowser): Missing[] {
  const { container = '', video = '', audio = '' } = file.facts?.codecs ?? {}
  const found: Missing[] = []
  if (video && !takable(VIDEO[video], takes)) found.push({ what: 'video', name: spoken(video) })
  if (audio && !takable(AUDIO[audio], takes)) found.push({ what: 'audio', name: spoken(audio) })
  if (!found.length && container && !takes(file.mime_type)) found.push({ what: 'container', name: spoken(container) })
  return found.length ? found : [{ what: 'unknown', name: '' }]
}

function takable(name: string | undefined, takes: Takes): boolean {
  return !!name && (takes(`video/mp4; codecs="${name}"`) || takes(`video/webm; codecs="${name}"`))
}
