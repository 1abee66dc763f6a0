import '@fontsource-variable/figtree/wght.css'
import { mount } from 'svelte'
import App from './App.svelte'
import './base/tokens.css'
import './base/base.css'
import { follow } from './base/route.svelte'

follow()
if (isSecureContext && 'serviceWorker' in navigator && import.meta.env.PROD) void navigator.serviceWorker.register('/sw.js').catch(() => {})
mount(App, { target: document.getElementById('page')! })
