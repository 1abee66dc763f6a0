"""The pictures of docs/DEMO.md, taken from the running product: `.venv/bin/python -m tests.pictures`."""

from __future__ import annotations

import asyncio
import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.async_api import Page, async_playwright, expect

from appliance.samples import make_samples
from tests.browser.conftest import ARGUMENTS, CHROMIUM, VIDEO, file_id, new_phone, open_screen, sign_in, until
from tests.house import CHECKOUT, house

FOLDER = CHECKOUT / "docs" / "pictures"
MOST = 150_000
"""Bytes of one picture."""
FILM = "The Long Way to Tromsø"


async def film(page: Page) -> None:
    await open_screen(page, f"/file/{await file_id(page, f'{FILM}.mp4')}")
    await until(page, f"{VIDEO}?.currentTime > 1")
    await page.evaluate(f"{VIDEO}.pause()")


async def share(page: Page) -> None:
    await film(page)
    await page.get_by_role("main").get_by_role("button", name="Share").click()


async def select(page: Page) -> None:
    await open_screen(page, "/library/Photos/2026")
    await page.get_by_role("button", name="Select", exact=True).click()
    for name in ("Dunes", "Evening"):
        await page.get_by_role("checkbox", name=name).click()


PLACES = {
    "albums": "/library?type=audio",
    "photos": "/library?type=image",
    "add": "/add/Photos",
    "box": "/box",
    "log": "/log",
}
ACTS = {"film": film, "share": share, "select": select}


async def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        media = Path(name) / "media"
        make_samples(media, lambda _line: None)
        async with house(Path(name), media) as home, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            for scheme, names in (("dark", ("film", "share")), ("light", (*PLACES, "select"))):
                context = await new_phone(browser, home, scheme)
                page = await context.new_page()
                await sign_in(page)
                for picture in names:
                    if picture in PLACES:
                        await open_screen(page, PLACES[picture])
                    else:
                        await ACTS[picture](page)
                    await expect(page.locator("main .waiting")).to_have_count(0)
                    await page.wait_for_timeout(900)
                    save(
                        f"{picture}-dark" if picture in PLACES and scheme == "dark" else picture,
                        await page.screenshot(),
                    )
                await context.close()
            await browser.close()


def save(name: str, png: bytes) -> None:
    """Of few colours and as small as it is shown."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image.thumbnail((585, 1300), Image.Resampling.LANCZOS)
    path = FOLDER / f"{name}.png"
    image.quantize(128).save(path, optimize=True)
    assert path.stat().st_size <= MOST, (name, path.stat().st_size)
    print(path.relative_to(CHECKOUT), path.stat().st_size)


if __name__ == "__main__":
    asyncio.run(main())
