"""A hundred thousand files in one folder, on a phone whose processor is four times slower than this one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import new_phone, open_screen, phone, sign_in
from tests.house import House
from tests.house import sign_in as by_bearer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.asyncio(loop_scope="module"),
]

FILES = 100_000
SCROLL = """async () => {
  const frames = [], long = []
  const watch = new PerformanceObserver(list => long.push(...list.getEntries().map(one => one.duration)))
  watch.observe({ entryTypes: ['longtask'] })
  let before = performance.now()
  const end = before + 6000
  await new Promise(done => {
    const step = now => {
      frames.push(now - before)
      before = now
      scrollBy(0, 260)
      now < end ? requestAnimationFrame(step) : done()
    }
    requestAnimationFrame(step)
  })
  watch.disconnect()
  frames.sort((a, b) => a - b)
  const at = part => Math.round(frames[Math.floor(frames.length * part)])
  const drawn = document.querySelectorAll('main .item').length
  return { frames: frames.length, p50: at(0.5), p95: at(0.95), worst: at(0.999), long, drawn }
}"""


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many") / "library"
    inside = folder / "Archive"
    inside.mkdir(parents=True)
    for number in range(FILES):
        path = inside / f"Scan {number:06}.pdf"
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        os.utime(path, (1_700_000_000, 1_700_000_000))
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signed_in(shared_chromium: Browser, shared_home: House) -> AsyncIterator[BrowserContext]:
    """The phone comes in when all is listed."""
    async with asyncio.timeout(600), by_bearer(shared_home) as http:
        while True:
            async with http.get("/files", params={"page_size": "1"}) as answer:
                if (await answer.json())["total"] == FILES:
                    break
            await asyncio.sleep(2)
    context = await new_phone(shared_chromium, shared_home)
    page = await context.new_page()
    await sign_in(page)
    await page.close()
    yield context
    await context.close()


async def test_the_first_look_through_the_folders_tells_how_far_it_is(
    shared_chromium: Browser, shared_home: House
) -> None:
    async with phone(shared_chromium, shared_home) as page:
        await sign_in(page)
        await open_screen(page, "/box")
        said = page.get_by_role("status").filter(has_text="Looking through the folders")
        counts = []
        async with asyncio.timeout(60):
            while len(counts) < 3:
                count = int("".join(filter(str.isdigit, await said.inner_text())))
                if count not in counts:
                    counts.append(count)
        assert 0 < counts[0] < counts[1] < counts[2] <= FILES
        await expect(said).to_have_count(0, timeout=300_000)
        await expect(page.get_by_text(f"{FILES:,} files", exact=True)).to_be_visible()


async def test_scrolling_draws_a_screen_and_not_a_list(page: Page) -> None:
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    await open_screen(page, "/library/Archive")
    await expect(page.get_by_role("link", name="Scan 000000")).to_be_visible()
    said = await page.evaluate(SCROLL)
    print(said)
    # What is drawn does not grow with the list, and the last file is as near as the first.
    assert said["drawn"] < 60
    await page.evaluate("scrollTo(0, document.body.scrollHeight)")
    await expect(page.get_by_role("link", name=f"Scan {FILES - 1:06}")).to_be_visible()
    assert await page.locator("main .item").count() < 60
    last = page.get_by_role("listitem").last
    await expect(last).to_have_attribute("aria-setsize", str(FILES))
