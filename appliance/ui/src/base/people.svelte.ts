/** Who is behind a user's id, as far as this person may know. */

import { get } from './api'
import { session } from './session.svelte'

class People {
  private names = $state<Record<string, string>>({})

  async ask(): Promise<void> {
    if (!session.may('admin')) return
    const answer = await get<{ items: { id: string; username: string }[] }>('/users')
    this.names = Object.fromEntries(answer.items.map((one) => [one.id, one.username]))
  }

  name(id: string | null | undefined): string {
    if (!id) return ''
    return (id === session.user?.id ? session.user.username : this.names[id]) ?? ''
  }
}

export const people = new People()
