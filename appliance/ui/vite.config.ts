import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Resvg } from '@resvg/resvg-js'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { build, defineConfig, type Plugin } from 'vite'

// `npm run dev` beside a running appliance: MANTEL=http://127.0.0.1:8000
const appliance = process.env.MANTEL ?? 'http://127.0.0.1:8000'
const routes = ['/auth', '/files', '/folders', '/albums', '/months', '/tags', '/me', '/uploads', '/events', '/players', '/playing', '/devices', '/tvs', '/users', '/sessions', '/log', '/shares', '/trash', '/api', '/settings', '/healthz']
const outDir = '../web/static'

/**
 * `sw.js`, built after the page, so that it can name the page's parts. One classic script, since Firefox was
 * late with module workers. What is large and seldom (PDF) is left to the box.
 */
function serviceWorker(): Plugin {
  let parts: string[] = []
  return {
    name: 'service-worker',
    apply: 'build',
    writeBundle(_options, bundle) {
      const small = (name: string) => /\.(js|css|woff2)$/.test(name) && !/pdf/i.test(name)
      parts = Object.keys(bundle).filter(small).map((name) => `/${name}`).sort()
    },
    async closeBundle() {
      const version = createHash('sha256').update(parts.join()).digest('hex').slice(0, 12)
      await build({
        configFile: false,
        logLevel: 'warn',
        publicDir: false,
        define: { __SHELL__: JSON.stringify([...parts, '/icon.svg', '/manifest.webmanifest']), __VERSION__: JSON.stringify(version) },
        build: {
          outDir,
          emptyOutDir: false,
          target: 'es2022',
          rollupOptions: { input: 'src/offline/sw.ts', output: { format: 'iife', entryFileNames: 'sw.js' } },
        },
      })
    },
  }
}

/**
 * `icon.svg` as the pictures that an installed page is shown by: iOS takes no SVG and rounds the corners itself,
 * Android cuts a maskable one to a circle of four fifths (W3C Web App Manifest, "maskable").
 */
function icons(): Plugin {
  const paper = '#FAF7F2'
  return {
    name: 'icons',
    apply: 'build',
    generateBundle() {
      const drawn = readFileSync('public/icon.svg', 'utf8')
      const cut = drawn.replace('0 0 64 64', '-5 -5 74 74')
      const draw = (fileName: string, svg: string, side: number, background?: string) => {
        const source = new Resvg(svg, { fitTo: { mode: 'width', value: side }, background }).render().asPng()
        this.emitFile({ type: 'asset', fileName, source })
      }
      draw('icon-180.png', drawn, 180, paper)
      draw('icon-192.png', drawn, 192)
      draw('icon-512.png', drawn, 512)
      draw('icon-maskable.png', cut, 512, paper)
    },
  }
}

export default defineConfig({
  plugins: [svelte(), icons(), serviceWorker()],
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2022',
    // The page's policy allows no data: fonts or pictures of ours.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The PDF reader is one large part, loaded when a PDF is opened.
    chunkSizeWarningLimit: 700,
  },
  server: {
    proxy: Object.fromEntries(
      routes.map((route) => [route, { target: appliance, headers: { origin: appliance } }]),
    ),
  },
})
