/** Whether the list around a picture flies by: then its picture waits, and the box is spared. */

import { getContext, setContext } from 'svelte'

const KEY = Symbol('moving')

export const tellMoving = (moving: () => boolean) => setContext(KEY, moving)

export const isMoving = (): (() => boolean) => getContext<() => boolean>(KEY) ?? (() => false)
