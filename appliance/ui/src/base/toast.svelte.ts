/** One short message at a time, at the foot of the page, with at most one thing to do. */

interface Toast {
  text: string
  action?: { label: string; run: () => void }
}

class Toasts {
  shown = $state<Toast | null>(null)
  private timer: ReturnType<typeof setTimeout> | undefined

  show(text: string, action?: Toast['action']): void {
    clearTimeout(this.timer)
    this.shown = action ? { text, action } : { text }
    this.timer = setTimeout(() => (this.shown = null), action ? 8000 : 4000)
  }

  close(): void {
    clearTimeout(this.timer)
    this.shown = null
  }
}

export const toasts = new Toasts()
