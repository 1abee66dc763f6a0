/** Who is signed in on this device. */

import { Problem, get, onSignedOut, post, refresh } from './api'
import type { Role, User } from './types'

const RANKS: Role[] = ['guest', 'viewer', 'editor', 'admin']

class Session {
  user = $state<User | null>(null)
  /** False until the first answer of the appliance. */
  known = $state(false)
  /** The appliance has no user yet and waits for its set-up code. */
  setup = $state(false)
  guests = $state(false)
  /** The first question got no answer at all. */
  offline = $state(false)

  may(role: Role): boolean {
    return !!this.user && RANKS.indexOf(this.user.role) >= RANKS.indexOf(role)
  }

  async start(): Promise<void> {
    onSignedOut(() => {
      this.user = null
    })
    this.offline = false
    try {
      this.user = await me()
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem
      if (problem.status === 0) this.offline = true
      this.user = null
      await this.doors()
    }
    this.known = true
  }

  /** Which ways in there are for somebody without a session. */
  async doors(): Promise<void> {
    try {
      const doors = await get<{ needs_setup: boolean; guest: boolean }>('/auth/setup')
      this.setup = doors.needs_setup
      this.guests = doors.guest
    } catch {
      // The ordinary form stays.
    }
  }

  async enter(path: '/auth/login' | '/auth/setup' | '/auth/guest', body: Record<string, string>): Promise<void> {
    await post(path, body)
    this.user = await me()
    this.setup = false
  }

  async leave(): Promise<void> {
    await post('/auth/logout').catch(() => {})
    this.user = null
    location.hash = ''
    await this.doors()
  }
}

async function me(): Promise<User> {
  type Answer = User | { user: User }
  const read = (answer: Answer) => ('user' in answer ? answer.user : answer)
  try {
    return read(await get<Answer>('/auth/me'))
  } catch (problem) {
    if (problem instanceof Problem && problem.status === 401 && (await refresh())) {
      return read(await get<Answer>('/auth/me'))
    }
    throw problem
  }
}

export const session = new Session()
