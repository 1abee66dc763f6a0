/** How a player's state is shown. Pure. */

import type * as icons from '../base/icons'
import type { Player, Showing } from '../base/types'
import { words } from '../words'

export function asleep(player: Player): boolean {
  return player.state === 'asleep'
}

/** It plays, or will without another word: what a pause is for. */
export function runs(showing: Showing): boolean {
  return ['starting', 'buffering', 'playing'].includes(showing.state)
}

/** The player does not listen at the moment. */
export function unheard(showing: Showing): boolean {
  return showing.state === 'waking' || showing.state === 'lost'
}

export function iconOf(player: Player): keyof typeof icons {
  if (asleep(player)) return 'asleep'
  if (player.can_video === false) return 'speaker'
  return player.kind === 'cast' ? 'cast' : 'tv'
}

/** `offered`: a file is, which it may not take. "Playing “Desert Radio” · Jon", "Asleep. Wakes in about 20 s", "LG webOS · ready" */
export function stateOf(player: Player, offered = false): string {
  const { showing } = player
  if (showing) {
    return [showing.title ? words.players.playing(showing.title) : words.players.inUse, showing.by].filter(Boolean).join(' · ')
  }
  if (offered && player.takes && !player.takes.ok) return player.takes.why ?? words.players.cannot
  if (asleep(player)) return words.players.wakes
  if (player.state === 'new') return words.players.isNew
  if (player.error) return player.error
  if (player.state === 'away') return words.players.away
  const kind = player.model || (player.kind === 'cast' ? words.players.cast : words.players.tv)
  return `${kind} · ${player.can_video === false ? words.players.soundOnly : words.players.ready}`
}
