/** One question to the appliance whose answer a screen shows: the old answer stays while a new one comes. */

import { Problem } from './api'

export class Ask<T> {
  answer = $state<T | null>(null)
  problem = $state<Problem | null>(null)
  waiting = $state(false)
  private turn = 0

  async run(question: () => Promise<T>): Promise<void> {
    const turn = ++this.turn
    this.waiting = true
    try {
      const answer = await question()
      if (turn !== this.turn) return
      this.answer = answer
      this.problem = null
    } catch (error) {
      if (turn !== this.turn || (error instanceof DOMException && error.name === 'AbortError')) return
      this.problem = error instanceof Problem ? error : new Problem(-1, '', String(error))
    } finally {
      if (turn === this.turn) this.waiting = false
    }
  }
}
