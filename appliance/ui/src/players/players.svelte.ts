/** The TVs and speakers of the house, what each shows, and the sheet that picks one. */

import { get, patch, post, query } from '../base/api'
import { hear } from '../base/live.svelte'
import type { Folder, LibraryFile, Player } from '../base/types'
import { files } from '../library/ask'

export type Verb = 'pause' | 'resume' | 'stop' | 'seek' | 'volume' | 'next' | 'previous' | 'repeat'

/** The appliance takes so many in one queue. */
const MOST = 500

/** What the "Play on" sheet is open for: a file, and what it stands among. */
export interface Offer {
  file: LibraryFile
  /** With `file` in it; it alone where there is nothing else. */
  among: LibraryFile[]
  /** All of it is meant, not the file alone. */
  whole: boolean
  /** The files of a folder, more than the page has at hand. */
  folder?: Folder
}

class Players {
  list = $state<Player[]>([])
  known = $state(false)
  offering = $state<Offer | null>(null)
  private users = 0
  private stop: (() => void)[] = []

  /** Players that show something now. */
  get busy(): Player[] {
    return this.list.filter((player) => player.showing)
  }

  async ask(): Promise<void> {
    const asked = get<{ items: Player[] }>(`/players${query({ fileId: this.offering?.file.id })}`)
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

  /** Begins what is offered, in place of what plays there. */
  async start(player: Player, offer: Offer, position: number): Promise<void> {
    const { wish, place } = asked(offer)
    await post(`/players/${encodeURIComponent(player.id)}/play`, { ...wish, place, position: Math.floor(position) })
    await this.ask().catch(() => {})
  }

  /** Puts it behind what plays there. */
  async add(player: Player, offer: Offer): Promise<void> {
    await post(`/players/${encodeURIComponent(player.id)}/queue`, asked(offer).wish)
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

/** As the appliance takes it: which files, and with which to begin. */
function asked({ file, among, whole, folder }: Offer): { wish: object; place?: number } {
  if (folder) return { wish: { folderId: folder.id } }
  if (!whole || among.length < 2) return { wish: { fileId: file.id } }
  const here = among.findIndex((one) => one.id === file.id)
  // The file itself is among the ones that fit.
  const from = Math.max(0, Math.min(here, among.length - MOST))
  return { wish: { fileIds: among.slice(from, from + MOST).map((one) => one.id) }, place: here - from }
}

export const castable = (file: LibraryFile) => ['video', 'audio', 'image'].includes(file.type)

/** `among`: what `file` stands among, as far as a TV shows it; `whole`: all of that is meant. */
export function openPlayOn(file: LibraryFile, among: LibraryFile[] = [file], whole = false): void {
  players.offering = { file, among: among.filter(castable), whole }
  void players.ask().catch(() => {})
}

/** The films, songs or photos of a folder, by name, of the kind of the first. */
export async function openFolderOn(folder: Folder): Promise<void> {
  const { items } = await files({ folder: folder.path, sort: 'name' }, 1, 200)
  const file = items.find(castable)
  if (!file) return
  players.offering = { file, among: items.filter((one) => one.type === file.type), whole: true, folder }
  void players.ask().catch(() => {})
}
