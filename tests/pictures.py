"""The pictures of the README and the tour, taken from the running product: `python -m tests.pictures`."""

from __future__ import annotations

import asyncio
import io
import subprocess
import tempfile
from pathlib import Path

from PIL import Image
from playwright.async_api import BrowserContext, Page, async_playwright, expect

from appliance.samples import make_samples
from tests.browser.conftest import (
    ARGUMENTS,
    CHROMIUM,
    VIDEO,
    ask,
    file_id,
    new_phone,
    open_screen,
    sign_in,
    until,
)
from tests.house import CHECKOUT, house
from tests.ports import free_port

FOLDER = CHECKOUT / "docs" / "pictures"
MOST = 150_000
"""Bytes of one picture."""
FILM = "The Long Way to Tromsø"


async def film(page: Page) -> None:
    await open_screen(page, f"/file/{await file_id(page, f'{FILM}.mp4')}")
    await until(page, f"{VIDEO}?.currentTime > {BEGUN_AT + 1}")
    await page.evaluate(f"{VIDEO}.pause()")


async def share(page: Page) -> None:
    await film(page)
    await page.get_by_role("main").get_by_role("button", name="Share").click()


async def select(page: Page) -> None:
    await open_screen(page, "/library/Photos/2026")
    await page.get_by_role("button", name="Select", exact=True).click()
    for name in ("Dunes", "Evening"):
        await page.get_by_role("checkbox", name=name).click()


async def watch(context: BrowserContext, name: str, seconds: float) -> None:
    """Plays a piece on a page of its own for so long that it counts as a play."""
    page = await context.new_page()
    await page.goto("/")
    await open_screen(page, f"/file/{await file_id(page, name)}")
    if name.endswith(".mp3"):
        await page.get_by_role("main").get_by_role("button", name="Play").first.click()
    await until(page, f"document.querySelector('audio[src], video[src]')?.currentTime > {seconds}", 60)
    await page.close()


PLACES = {
    "home": "/",
    "insights": "/insights",
    "albums": "/library?type=audio",
    "photos": "/library?type=image",
    "add": "/add/Photos",
    "box": "/box",
    "log": "/log",
}
ACTS = {"film": film, "share": share, "select": select}


BEGUN_AT = 1104
"""Seconds into the film where somebody stopped."""
WATCHED = {"Summer in Lot 12.mp4": 10, "Garden party.mp4": 8, "01 Harbour.mp3": 26}
"""Name → seconds."""


async def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_samples(folder / "media", lambda _line: None)
        lengthen(folder / "media" / "Films" / f"{FILM}.mp4")
        reports = {"analytics": "on", "analytics_port": str(free_port())}
        async with (
            house(folder, folder / "media", "appliance.run", **reports) as home,
            async_playwright() as playwright,
        ):
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            light, dark = await new_phone(browser, home), await new_phone(browser, home, "dark")
            for phone in (light, dark):
                await sign_in(await phone.new_page())
            await asyncio.gather(*(watch(light, *piece) for piece in WATCHED.items()))
            await counted(light.pages[0])
            begun = await file_id(light.pages[0], f"{FILM}.mp4")
            await ask(light.pages[0], "PUT", f"/files/{begun}/position", {"seconds": BEGUN_AT})
            await light.pages[0].reload()
            for place in ("film", "share"):
                await take(dark.pages[0], place)
            for place in (*PLACES, "select"):
                await take(light.pages[0], place)
            await light.pages[0].set_viewport_size({"width": 1280, "height": 900})
            await take(light.pages[0], "home", "wide")
            await browser.close()


def lengthen(film: Path) -> None:
    """To as long as films are, by showing it many times."""
    longer = film.with_name("longer.mp4")
    many = ["ffmpeg", "-v", "error", "-stream_loop", "179", "-i", str(film), "-c", "copy", str(longer)]
    subprocess.run(many, check=True)
    longer.replace(film)


async def counted(page: Page) -> None:
    """Waits until the reports know of what was watched."""
    async with asyncio.timeout(90):
        while len((await ask(page, "GET", "/api/analytics/popular?range=7d&limit=9"))["items"]) < len(
            WATCHED
        ):
            await asyncio.sleep(1)


async def take(page: Page, place: str, name: str = "") -> None:
    if place in PLACES:
        await open_screen(page, PLACES[place])
    else:
        await ACTS[place](page)
    await expect(page.locator("main .waiting")).to_have_count(0)
    await page.wait_for_timeout(900)
    save(name or place, await page.screenshot())


def save(name: str, png: bytes) -> None:
    """Of few colours and as small as it is shown."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image.thumbnail((1280 if image.width > image.height else 585, 1300), Image.Resampling.LANCZOS)
    path = FOLDER / f"{name}.png"
    image.quantize(256, kmeans=4).save(path, optimize=True)
    assert path.stat().st_size <= MOST, (name, path.stat().st_size)
    print(path.relative_to(CHECKOUT), path.stat().st_size)


if __name__ == "__main__":
    asyncio.run(main())
