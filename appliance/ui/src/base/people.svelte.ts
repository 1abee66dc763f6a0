/** Who is behind a user's id, as far as this person may know. */

import { get } from './api'
import { session } from './session.svelte'

interface Person {
  id: string
  username: string
}

class People {
  private known = $state<Person[]>([])

  async ask(): Promise<void> {
    if (!session.may('admin')) return
    this.known = (await get<{ items: Person[] }>('/users')).items
  }

  /** Everybody that is known, but oneself. */
  get others(): Person[] {
    return this.known.filter((one) => one.id !== session.user?.id)
  }

  name(id: string | null | undefined): string {
    if (!id) return ''
    return (id === session.user?.id ? session.user.username : this.known.find((one) => one.id === id)?.username) ?? ''
  }
}

export const people = new People()
