import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

// `npm run dev` beside a running appliance: MANTEL=http://127.0.0.1:8000
const appliance = process.env.MANTEL ?? 'http://127.0.0.1:8000'
const routes = ['/auth', '/files', '/folders', '/uploads', '/events', '/players', '/devices', '/tvs', '/users', '/sessions', '/log', '/shares', '/trash', '/api', '/settings', '/healthz']

export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: '../web/static',
    emptyOutDir: true,
    target: 'es2022',
    // The page's policy allows no data: fonts or pictures of ours.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: Object.fromEntries(
      routes.map((route) => [route, { target: appliance, headers: { origin: appliance } }]),
    ),
  },
})
