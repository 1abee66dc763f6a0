/** A machine that may be woken, as the appliance tells it; times of the week as it takes them. */

import { words } from '../words'

export interface WakeTime {
  days: string[]
  /** `07:30` */
  at: string
}

export interface Machine {
  id: string
  name: string
  schedule: WakeTime[]
  waking: { state: keyof typeof words.players.machineState; tookSeconds: number | null }
  /** These are told to admins alone. */
  mac?: string
  hasSecureOn?: boolean
  address?: string | null
  libraryRoot?: string | null
}

/** How its last waking went. */
export function howItWent({ waking }: Machine): string {
  const took = Math.round(waking.tookSeconds ?? 0)
  return waking.state === 'awake' && took ? words.players.awakeAfter(took) : words.players.machineState[waking.state]
}
