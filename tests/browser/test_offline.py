"""The page as an app: its shell opens while the box is away, and what was kept plays for its lease."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import VIDEO, ask, file_id, new_phone, open_screen, sign_in, until
from tests.house import House

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

FILM = "The Long Way to Tromsø"
PINS = """() => new Promise((resolve, reject) => {
  const request = indexedDB.open('mantel', 1)
  request.onerror = () => reject(request.error)
  request.onsuccess = () => {
    const all = request.result.transaction('pins').objectStore('pins').getAll()
    all.onsuccess = () => resolve(all.result.map(({ id, got, done, until }) => ({ id, got, done, until })))
  }
})"""
LAPSE = """() => new Promise(resolve => {
  const request = indexedDB.open('mantel', 1)
  request.onsuccess = () => {
    const pins = request.result.transaction('pins', 'readwrite').objectStore('pins')
    const all = pins.getAll()
    all.onsuccess = () => {
      for (const pin of all.result) pins.put({ ...pin, until: 1 }).onsuccess = () => resolve(true)
    }
  }
})"""
RANGE = """async id => {
  const headers = { Range: 'bytes=100-199' }
  const answer = await fetch(`/files/${id}/stream`, { headers }).catch(() => null)
  if (!answer) return null
  return [answer.status, answer.headers.get('content-range'), (await answer.arrayBuffer()).byteLength]
}"""


async def ready(page: Page) -> None:
    await until(page, "navigator.serviceWorker.ready.then(() => !!navigator.serviceWorker.controller)")


async def test_what_is_kept_plays_without_the_box_until_the_lease_ends(
    chromium: Browser, home: House
) -> None:
    context = await new_phone(chromium, home)
    page = await context.new_page()
    await sign_in(page)
    await ready(page)
    film = await file_id(page, f"{FILM}.mp4")
    await open_screen(page, f"/file/{film}")
    await page.get_by_role("button", name="Keep on this device").click()
    await expect(page.get_by_role("button", name="Remove from this device")).to_be_visible()
    [pin] = await page.evaluate(PINS)
    size = (await ask(page, "GET", f"/files/{film}"))["size_bytes"]
    assert (pin["got"], pin["done"]) == (size, True)

    await home.kill()
    await page.goto("/")
    await expect(page.get_by_role("heading", name="On this device")).to_be_visible()
    await expect(page.get_by_text("The box does not answer.")).to_be_visible()
    await page.get_by_role("link", name=FILM).click()
    await until(page, f"{VIDEO}?.currentTime > 0.3 && {VIDEO}.videoWidth === 1280")
    await page.evaluate(f"{VIDEO}.pause(); {VIDEO}.currentTime = 15")
    await until(page, f"!{VIDEO}.seeking && {VIDEO}.currentTime === 15 && {VIDEO}.readyState >= 2")
    assert await page.evaluate(RANGE, film) == [206, f"bytes 100-199/{size}", 100]

    # A lease that ran out: the bytes are still here, and are not given out.
    await page.evaluate(LAPSE)
    assert await page.evaluate(RANGE, film) is None
    await context.close()


async def test_what_one_may_no_longer_see_goes(chromium: Browser, home: House) -> None:
    context = await new_phone(chromium, home)
    page = await context.new_page()
    await sign_in(page)
    await ready(page)
    film = await file_id(page, f"{FILM}.mp4")
    await open_screen(page, f"/file/{film}")
    await page.get_by_role("button", name="Keep on this device").click()
    await expect(page.get_by_role("button", name="Remove from this device")).to_be_visible()
    await ask(page, "DELETE", f"/files/{film}")
    await page.goto("/")
    await expect(page.get_by_text("no longer yours to see")).to_be_visible()
    assert await page.evaluate(PINS) == []

    # Signing out takes everything along.
    await open_screen(page, f"/file/{await file_id(page, 'Summer in Lot 12.mp4')}")
    await page.get_by_role("button", name="Keep on this device").click()
    await expect(page.get_by_role("button", name="Remove from this device")).to_be_visible()
    await open_screen(page, "/me")
    await page.locator("main > .button", has_text="Sign out").click()
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert await page.evaluate(PINS) == []
    manifest = await (await page.request.get("/manifest.webmanifest")).json()
    assert manifest["display"] == "standalone"
    for icon in manifest["icons"]:
        answer = await page.request.get(icon["src"])
        assert answer.ok
        if icon["type"] == "image/png":
            side = Image.open(io.BytesIO(await answer.body())).size
            assert icon["sizes"] == f"{side[0]}x{side[1]}"
    touch = await page.locator("link[rel=apple-touch-icon]").get_attribute("href")
    apple = Image.open(io.BytesIO(await (await page.request.get(str(touch))).body())).convert("RGBA")
    assert (apple.size, apple.getpixel((0, 0))[3]) == ((180, 180), 255), "iOS paints what is clear black"
    assert re.search("shell-", str(await page.evaluate("caches.keys()")))
    await context.close()
