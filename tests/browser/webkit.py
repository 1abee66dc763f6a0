"""WebKit, driven by its own WebDriver: what Safari's engine makes of the page.

    with webkit(folder) as driver:
        driver.get(home.url)

WebKitGTK under Xvfb. Its codecs are GStreamer's, so it says nothing of what an iPhone plays; scripts, layout
and forms are the engine's. Its window is 447 pixels wide at the least.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from selenium.webdriver import WebKitGTK, WebKitGTKOptions, WebKitGTKService

DRIVER = "/usr/bin/WebKitWebDriver"
BROWSERS = Path("/usr/lib")
SIZE = (447, 860)


class Options(WebKitGTKOptions):
    """Selenium's, without `useOverlayScrollbars`: the driver of WebKitGTK 2.50 does not know it."""

    def to_capabilities(self) -> dict[str, Any]:
        browser = next(BROWSERS.glob("*/webkit2gtk-4*/MiniBrowser"))
        return self._caps | {self.KEY: {"binary": str(browser), "args": ["--automation"]}}


@contextmanager
def webkit(folder: Path) -> Iterator[WebKitGTK]:
    """`folder` is its home, and keeps its log."""
    with ExitStack() as stack:
        log = stack.enter_context((folder / "webkit.log").open("w"))
        screen = subprocess.Popen(
            ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        stack.callback(screen.wait)
        stack.callback(screen.terminate)
        assert screen.stdout
        display = screen.stdout.readline().strip()
        service = WebKitGTKService(
            executable_path=DRIVER,
            log_output=log,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "XDG_RUNTIME_DIR": str(folder),
                "DISPLAY": f":{display}",
                "GDK_BACKEND": "x11",
                "LC_ALL": "C.UTF-8",
                "NO_AT_BRIDGE": "1",
                # It refuses its own sandbox as root; what it shows here is ours.
                "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",
            },
        )
        driver = WebKitGTK(options=Options(), service=service)
        stack.callback(driver.quit)
        driver.set_window_size(*SIZE)
        yield driver
