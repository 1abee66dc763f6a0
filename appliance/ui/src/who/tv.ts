/** A TV as `/tvs` tells it. */
export interface Tv {
  id: string
  name: string
  state: 'asking' | 'allowed' | 'blocked'
  /** What it shows on its screen, while it asks. */
  code: string | null
  /** Ids of the only folders that it may see; none means all. */
  folders: string[]
  lastSeenAt: string
}
