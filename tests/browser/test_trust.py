"""The plain port's page sees by itself whether this phone trusts the household's authority."""

from __future__ import annotations

import datetime
import ipaddress
import os
import subprocess
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect

from appliance import authority
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.house import house
from tests.ports import free_port

pytestmark = pytest.mark.browser


async def test_it_tells_when_the_authority_is_trusted(tmp_path: Path) -> None:
    now, loopback = datetime.datetime.now(datetime.UTC), ipaddress.ip_address("127.0.0.1")
    authority.renew(tmp_path / "tls", "Mantel", ["localhost"], [loopback], now)
    server, store = str(tmp_path / "tls" / authority.SERVER), tmp_path / ".pki" / "nssdb"
    store.mkdir(parents=True)
    base = ["certutil", "-d", f"sql:{store}"]
    subprocess.run([*base, "-N", "--empty-password"], check=True)
    async with (
        house(
            tmp_path, https_port=str(free_port()), tls_cert=server, tls_key=server, hosts="localhost"
        ) as home,
        async_playwright() as playwright,
    ):
        for trusted in (False, True):
            if trusted:
                root = str(tmp_path / "tls" / authority.ROOT)
                subprocess.run([*base, "-A", "-t", "C,,", "-n", "house", "-i", root], check=True)
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM, args=ARGUMENTS, env={**os.environ, "HOME": str(tmp_path)}
            )
            page = await browser.new_page(viewport={"width": 360, "height": 740})
            await page.goto(home.url)
            verdict = page.get_by_role("status")
            said = "This device trusts Mantel." if trusted else "This device does not trust Mantel yet."
            await expect(verdict).to_have_text(said)
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= 360
            if trusted:
                await page.get_by_role("link", name="Open Mantel").click()
                await expect(page).to_have_url(f"https://localhost:{home.environment['MANTEL_HTTPS_PORT']}/")
            if folder := os.environ.get("SHOTS"):
                await page.screenshot(path=f"{folder}/trust-{trusted}.png", full_page=True)
            await browser.close()
