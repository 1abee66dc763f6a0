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
  /** Set by who keeps things for a session: it was ended elsewhere, or left by the person's own wish. */
  whenEnded: () => void = () => {}
  whenLeft: () => Promise<void> = async () => {}

  may(role: Role): boolean {
    return !!this.user && RANKS.indexOf(this.user.role) >= RANKS.indexOf(role)
  }

  async start(): Promise<void> {
    onSignedOut(() => {
      this.user = null
      this.whenEnded()
    })
    this.offline = false
    try {
      this.user = await me()
      remember(this.user)
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem
      this.user = null
      if (problem.status === 0) {
        // What this person kept on the device still plays.
        this.offline = true
        this.user = remembered()
      } else {
        if (problem.status === 401 && remembered()) this.whenEnded()
        await this.doors()
      }
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
    this.offline = false
    remember(this.user)
    this.setup = false
  }

  async leave(): Promise<void> {
    await post('/auth/logout').catch(() => {})
    await this.whenLeft()
    remember(null)
    this.user = null
    location.hash = ''
    await this.doors()
  }
}

const remember = (user: User | null) =>
  user ? localStorage.setItem('last-user', JSON.stringify(user)) : localStorage.removeItem('last-user')

function remembered(): User | null {
  try {
    return JSON.parse(localStorage.getItem('last-user') ?? 'null') as User | null
  } catch {
    return null
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
