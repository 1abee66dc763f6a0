import '@fontsource-variable/figtree/wght.css'
import { mount } from 'svelte'
import App from './App.svelte'
import './base/base.css'
import { follow } from './base/route.svelte'

follow()
mount(App, { target: document.getElementById('page')! })
