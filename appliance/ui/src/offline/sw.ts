/// <reference lib="webworker" />
/**
 * The service worker: the page opens while the box is away, and kept files play from this device, by ranges,
 * as long as their lease runs. Everything else goes to the box as if it were not here.
 */

import { bytes, one } from './store'
import { wanted } from './range'

declare const self: ServiceWorkerGlobalScope
/** The page's own files, filled in by the build. */
declare const __SHELL__: string[]
declare const __VERSION__: string

const SHELL = `shell-${__VERSION__}`
/** Pages of the version before may still be open and ask for their parts. */
const KEPT_SHELLS = 2
const FILE = /^\/files\/([^/]+)\/(stream|thumbnail)$/

const home = () => new Request('/', { headers: { Accept: 'text/html' } })

self.addEventListener('install', (event) => {
  event.waitUntil(
    (async () => {
      const shell = await caches.open(SHELL)
      await shell.addAll([home(), ...__SHELL__.map((path) => new Request(path, { cache: 'no-cache' }))])
      await self.skipWaiting()
    })(),
  )
})

self.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      const shells = (await caches.keys()).filter((name) => name.startsWith('shell-') && name !== SHELL)
      for (const name of shells.slice(0, Math.max(0, shells.length + 1 - KEPT_SHELLS))) await caches.delete(name)
      await self.clients.claim()
    })(),
  )
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const address = new URL(request.url)
  if (request.method !== 'GET' || address.origin !== self.location.origin) return
  const file = FILE.exec(address.pathname)
  if (file) event.respondWith(kept(request, file[1]!, file[2]!))
  else if (request.mode === 'navigate' && address.pathname === '/') event.respondWith(page(request))
  else if (__SHELL__.includes(address.pathname)) event.respondWith(part(request))
})

async function page(request: Request): Promise<Response> {
  try {
    return await fetch(request)
  } catch (away) {
    const known = await caches.match(home(), { ignoreVary: true })
    if (known) return known
    throw away
  }
}

async function part(request: Request): Promise<Response> {
  return (await caches.match(request.url, { ignoreVary: true })) ?? fetch(request)
}

/** A kept file's own bytes; its picture only while the box is away, for the box may have a newer one. */
async function kept(request: Request, id: string, what: string): Promise<Response> {
  const pin = await one(decodeURIComponent(id)).catch(() => undefined)
  if (!pin?.done || pin.until < Date.now()) return fetch(request)
  if (what === 'thumbnail') {
    return fetch(request).catch((away) => {
      if (pin.picture) return new Response(pin.picture, { headers: { 'Content-Type': 'image/jpeg' } })
      throw away
    })
  }
  const size = pin.file.size_bytes
  const range = wanted(request.headers.get('Range'), size)
  const headers = new Headers({
    'Accept-Ranges': 'bytes',
    'Content-Type': pin.file.mime_type,
    'X-Content-Type-Options': 'nosniff',
    // As the box sends it: nothing that a stranger wrote runs, kept or not.
    'Content-Security-Policy': "sandbox; default-src 'none'; media-src 'self'; img-src 'self'",
  })
  if (range.status === 416) {
    headers.set('Content-Range', `bytes */${size}`)
    return new Response(null, { status: 416, headers })
  }
  headers.set('Content-Length', `${range.last - range.first + 1}`)
  if (range.status === 206) headers.set('Content-Range', `bytes ${range.first}-${range.last}/${size}`)
  return new Response(await bytes(pin.id, range.first, range.last), { status: range.status, headers })
}
