/** The TVs and speakers of the house, what each shows, and the sheet that picks one. */

import { get, patch, post, query } from '../base/api'
import { hear } from '../base/live.svelte'
import type { LibraryFile, Player } from '../base/types'

export type Verb = 'pause' | 'resume' | 'stop' | 'seek' | 'volume' | 'next' | 'previous'

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
    const asked = get<{ items: Player[] }>(`/players${query({ fileId: this.offering?.id })}`)
    const { items } = await asked.finally(() => (this.known = true))
    const heard = Date.now()
    this.list = items.map((player) => (player.showing ? { ...player, showing: { ...player.showing, heard } } : player))
  }

  /** Keeps the list fresh while somebody looks. For `$effect`. */
  watch(): () => void {
    this.users += 1
    if (this.users === 1) {
      void this.ask().catch(() => {})
      const again = () => void this.ask().catch(() => {})
      this.stop = [hear('player', again)]
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

  /** An admin says that a new player belongs to the house. */
  async allow(player: Player): Promise<void> {
    await patch(`/players/${encodeURIComponent(player.id)}`, { state: 'allowed' })
    await this.ask().catch(() => {})
  }

  /** Look for players now; what is found comes by itself. */
  async look(): Promise<void> {
    await post('/players/search')
    await this.ask()
  }

  async tell(player: Player, verb: Verb, body: object = {}): Promise<void> {
    await post(`/players/${encodeURIComponent(player.id)}/${verb}`, body)
    await this.ask().catch(() => {})
  }
}

export const players = new Players()

export function openPlayOn(file: LibraryFile): void {
  players.offering = file
  void players.ask().catch(() => {})
}
