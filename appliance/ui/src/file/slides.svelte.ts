/** Whether a slideshow runs: it goes on from photo to photo, so it lives beside them. */

class Slides {
  on = $state(false)
  readonly seconds = 4
  private lock: WakeLockSentinel | null = null

  turn(): void {
    if (this.on) this.stop()
    else void this.start()
  }

  private async start(): Promise<void> {
    this.on = true
    // The screen stays on where that is allowed.
    this.lock = (await navigator.wakeLock?.request('screen').catch(() => null)) ?? null
    if (!this.on) void this.lock?.release()
  }

  stop(): void {
    this.on = false
    void this.lock?.release()
    this.lock = null
  }
}

export const slides = new Slides()

// Another screen ends it; the next photo does not.
addEventListener('hashchange', () => {
  if (!location.hash.startsWith('#/file/')) slides.stop()
})
