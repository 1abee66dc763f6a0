/** The TVs and speakers of the house, what each shows, and the sheet that picks one. */

import { get, post } from '../base/api'
import { hear } from '../base/live.svelte'
import type { LibraryFile, Player } from '../base/types'

class Players {
  list = $state<Player[]>([])
  known = $state(false)
  /** What the "Play on" sheet is open for. */
  offering = $state<LibraryFile | null>(null)
  private users = 0
  private stop: (() => void)[] = []

  /** Players that show something now. */
  get busy(): Player[] {
    return this.list.filter((player) => player.showing)
  }

  async ask(): Promise<void> {
    const answer = await get<Player[] | { items?: Player[]; players?: Player[] }>('/players')
    this.list = Array.isArray(answer) ? answer : (answer.items ?? answer.players ?? [])
    this.known = true
  }

  /** Keeps the list fresh while somebody looks. For `$effect`. */
  watch(): () => void {
    this.users += 1
    if (this.users === 1) {
      void this.ask().catch(() => {})
      const again = () => void this.ask().catch(() => {})
      this.stop = [hear('players', again), hear('player', again), hear('cast', again)]
    }
    return () => {
      this.users -= 1
      if (!this.users) for (const stop of this.stop) stop()
    }
  }

  async start(player: Player, file: LibraryFile, position: number): Promise<void> {
    await post(`/players/${encodeURIComponent(player.id)}/play`, { fileId: file.id, position: Math.floor(position) })
    await this.ask().catch(() => {})
  }

  async tell(player: Player, verb: 'pause' | 'resume' | 'stop' | 'seek' | 'volume', body: object = {}): Promise<void> {
    await post(`/players/${encodeURIComponent(player.id)}/${verb}`, body)
    await this.ask().catch(() => {})
  }
}

export const players = new Players()

export function openPlayOn(file: LibraryFile): void {
  players.offering = file
}
