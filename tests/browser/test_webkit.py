"""The page in WebKit, the engine of every browser on an iPhone: come in, look, play, seek, search, add."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import WebKitGTK
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from appliance.web.page import STATIC
from tests.browser.webkit import webkit
from tests.house import ADMIN, PASSWORD, House, house

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]

FILM = "The Long Way to Tromsø"
SCREENS = ("/library", "/library/Films", "/library?type=image", "/library?type=audio", "/add", "/players")
SCREENS += ("/insights", "/me", "/box", "/who", "/log", "/trash")
WIDTH = "return document.documentElement.scrollWidth - innerWidth"
WATCH = """window.wrong = []
addEventListener('error', event => wrong.push(String(event.message)))
addEventListener('unhandledrejection', event => wrong.push(String(event.reason)))
addEventListener('securitypolicyviolation', event => wrong.push(event.violatedDirective))"""


def until(seen: Callable[[], Any], what: object = "it", seconds: float = 30) -> Any:
    ends = time.monotonic() + seconds
    while not (found := seen()):
        assert time.monotonic() < ends, f"{what} did not come"
        time.sleep(0.1)
    return found


def one(driver: WebKitGTK, path: str) -> WebElement:
    """The first that an XPath finds, once it is there."""
    found: WebElement = until(lambda: driver.find_elements(By.XPATH, path), path)[0]
    return found


def go(driver: WebKitGTK, place: str) -> None:
    driver.execute_script("location.hash = arguments[0]", place)


def an_evening(driver: WebKitGTK, home: House, folder: Path) -> None:
    driver.get(home.url)
    one(driver, "//input[@autocomplete='username']").send_keys(ADMIN)
    one(driver, "//input[@autocomplete='current-password']").send_keys(PASSWORD)
    one(driver, "//form//button").click()
    one(driver, "//nav[@aria-label='Main']")
    driver.execute_script(WATCH)

    for number, place in enumerate(SCREENS):
        go(driver, place)
        one(driver, "//main//h1 | //main//h2")
        until(lambda: not driver.find_elements(By.CSS_SELECTOR, "main .waiting"))
        assert driver.execute_script(WIDTH) <= 0, f"{place} is wider than the window"
        driver.save_screenshot(str(folder / f"webkit-{number:02}.png"))

    go(driver, "/library/Films")
    one(driver, f"//main//a[contains(., '{FILM}')]").click()
    film = "document.querySelector('video')"
    until(lambda: driver.execute_script(f"return {film}?.currentTime > 0.5"))
    assert driver.execute_script(f"return {film}.videoWidth") == 1280
    driver.execute_script(f"{film}.pause()")
    driver.execute_script(
        """const slider = document.querySelector('input[type=range][aria-label=Position]')
        slider.value = 12
        for (const word of ['input', 'change']) slider.dispatchEvent(new Event(word, { bubbles: true }))"""
    )
    until(lambda: driver.execute_script(f"return Math.abs({film}.currentTime - 12) < 1"))
    driver.save_screenshot(str(folder / "webkit-film.png"))

    go(driver, "/library?find=1")
    one(driver, "//input[@type='search']").send_keys("tromso")
    one(driver, f"//main//a[contains(., '{FILM}')]")

    photo = folder / "From a phone.jpg"
    photo.write_bytes(next((home.library / "Photos").rglob("*.jpg")).read_bytes() + b"\0")
    go(driver, "/add/Photos")
    until(lambda: driver.find_elements(By.CSS_SELECTOR, "input[type=file]"))[0].send_keys(str(photo))
    one(driver, "//*[contains(., 'On the disk, verified')]")
    assert (home.library / "Photos" / photo.name).read_bytes() == photo.read_bytes()
    assert driver.execute_script("return wrong") == []


async def test_an_evening_in_webkit(tmp_path: Path, media: Path) -> None:
    assert (STATIC / "index.html").exists(), "the page is not built: `make run` or `make test` builds it"
    async with house(tmp_path, media) as home:

        def drive() -> None:
            with webkit(tmp_path) as driver:
                an_evening(driver, home, tmp_path)

        await asyncio.to_thread(drive)
