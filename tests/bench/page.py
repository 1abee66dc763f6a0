"""The page on a slow phone: the first view of a folder of 100,000 files, and a thumb flinging through it.

A processor slowed four times stands for a phone that is some years old; there is no graphics card, so every
pixel is the processor's too. The budgets are ours: web.dev's "good" for the first view, no frame more than
one too late for a screen of 60 Hz, and no pause that a thumb feels.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.bench.bench import Bench, Target
from tests.house import house, sign_in

FILES, SLOWER = 100_000, 4
BUDGET = {
    "ms to the first row": 2_500,
    "KiB fetched": 500,
    "ms a frame, p95": 33,
    "ms of the longest task": 200,
    "rows drawn": 60,
}
ROW = 64
FLINGS = """async () => {
  const frames = [], tasks = [0]
  const watch = new PerformanceObserver(list => tasks.push(...list.getEntries().map(one => one.duration)))
  watch.observe({ entryTypes: ['longtask'] })
  for (let fling = 0; fling < 5; fling += 1) {
    let speed = 8000
    await new Promise(done => {
      let before = performance.now()
      const step = now => {
        const passed = now - before
        frames.push(passed)
        before = now
        scrollBy(0, speed * passed / 1000)
        speed *= Math.exp(-passed / 500)
        speed > 60 ? requestAnimationFrame(step) : done()
      }
      requestAnimationFrame(step)
    })
    await new Promise(done => setTimeout(done, 300))
  }
  watch.disconnect()
  frames.sort((a, b) => a - b)
  const at = part => frames[Math.floor(frames.length * part)]
  return { p50: at(0.5), p95: at(0.95), longest: Math.max(...tasks) }
}"""
"""A thumb's flings: 8,000 pixels a second in the beginning, as Chromium's on Android slow down."""
PLAIN = """<style>body { margin: 0; font: 16px sans-serif } div { height: 64px } i { display: inline-block;
width: 74px; height: 48px; border-radius: 10px; background: #ccc }</style><script>
const line = n => `<div><i></i> Scan ${n}</div>`
document.body.innerHTML = Array.from({ length: 5000 }, (_, n) => line(n)).join('')
</script>"""


def make_tree(folder: Path) -> None:
    folder.mkdir(parents=True)
    for number in range(FILES):
        path = folder / f"Scan {number:06}.pdf"
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        os.utime(path, (1_700_000_000, 1_700_000_000))


async def run(bench: Bench) -> None:
    try:
        from playwright.async_api import async_playwright

        from tests.browser.conftest import ARGUMENTS, CHROMIUM, new_phone
        from tests.browser.conftest import sign_in as enter
    except ImportError:
        bench.missing.append("make test-packages .venv/.dev")
        return
    await asyncio.to_thread(make_tree, bench.folder / "library" / "Archive")
    async with house(bench.folder) as home, async_playwright() as playwright:
        await _all_listed(home)
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        bench.versions["Chromium"] = browser.version
        first = await new_phone(browser, home)
        page = await first.new_page()
        await enter(page)
        signed_in = await first.storage_state()
        await first.close()

        async def opened(where: str) -> Any:
            """A phone that is signed in and has nothing of the page yet, slowed."""
            context = await new_phone(browser, home)
            await context.add_cookies(signed_in["cookies"])
            page = await context.new_page()
            devtools = await context.new_cdp_session(page)
            await devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
            await page.goto(where)
            return page

        async def ours() -> Mapping[str, float]:
            page = await opened("/#/library/Archive")
            await page.wait_for_selector("text=Scan 000000")
            seen = await page.evaluate("performance.now()")
            fetched = await page.evaluate(
                "performance.getEntries().reduce((sum, one) => sum + (one.transferSize || 0), 0)"
            )
            await asyncio.sleep(2)
            flung = await page.evaluate(FLINGS)
            drawn = await page.locator("main .item").count()
            await page.context.close()
            return {
                "ms to the first row": seen,
                "KiB fetched": fetched / 1024,
                "rows drawn": drawn,
                **_frames(flung),
            }

        async def plain() -> Mapping[str, float]:
            page = await opened("about:blank")
            await page.set_content(PLAIN)
            await asyncio.sleep(2)
            flung = await page.evaluate(FLINGS)
            await page.context.close()
            return _frames(flung)

        async def budget() -> Mapping[str, float]:
            return BUDGET

        await bench.compare(
            f"{FILES:,} files on a processor slowed {SLOWER} times",
            {"Mantel": ours, "5,000 plain lines": plain, "budget": budget},
            {("Mantel", unit): [Target("budget", 1)] for unit in BUDGET},
            note="Plain lines: a page that holds all it shows and does nothing, scrolled the same way: what "
            "the browser takes for itself.",
        )
        await browser.close()


def _frames(flung: Mapping[str, float]) -> dict[str, float]:
    return {
        "ms a frame, p50": flung["p50"],
        "ms a frame, p95": flung["p95"],
        "ms of the longest task": flung["longest"],
    }


async def _all_listed(home: Any) -> None:
    async with asyncio.timeout(600), sign_in(home) as http:
        while True:
            async with http.get("/files", params={"page_size": "1"}) as answer:
                if (await answer.json())["total"] == FILES:
                    return
            await asyncio.sleep(1)
