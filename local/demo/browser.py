"""The user of the demo at a computer: headless Chromium through the real pages."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from playwright.sync_api import BrowserContext, Page, sync_playwright

from local.demo.steps import NotSeen

# Chromium's own background traffic is switched off: the demo talks to this machine alone.
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


class Computer:
    """A headless Chromium, started when the first user sits down. `pictures`: where screenshots are kept, if anywhere."""

    def __init__(self, pictures: Path | None = None) -> None:
        self._pictures = pictures
        self._taken: Counter[str] = Counter()
        self._open = ExitStack()
        self._window: BrowserContext | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def seat(self, album: str) -> UserAtComputer:
        """The window as its next user finds it, without the cookies of the one before; `album` is the folder of pictures."""
        if self._window is None:
            self._window = self._start()
        self._window.clear_cookies()
        return UserAtComputer(self._window.pages[0], lambda page, name: self._keep(page, album, name))

    def _start(self) -> BrowserContext:
        program = shutil.which("chromium")
        if program is None:
            raise NotSeen("chromium is missing: `make setup-tests` installs it")
        profile = self._open.enter_context(tempfile.TemporaryDirectory(prefix="demo-browser-"))
        driver = self._open.enter_context(sync_playwright())
        window = driver.chromium.launch_persistent_context(
            profile,
            executable_path=program,
            args=list(QUIET),
            locale="en-US",
            ignore_https_errors=True,  # the local authority is not in Chromium's store; the phone checks it
            viewport={"width": 900, "height": 700},
        )
        self._open.callback(window.close)
        return window

    def _keep(self, page: Page, album: str, name: str) -> None:
        """Numbered through all users of an album."""
        if self._pictures is not None:
            self._taken[album] += 1
            folder = self._pictures / album
            folder.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=str(folder / f"{self._taken[album]:02}-{name}.png"))


class UserAtComputer:
    """Somebody in front of the browser window."""

    def __init__(self, page: Page, keep: Callable[[Page, str], None]) -> None:
        self.page = page
        self.page.set_default_timeout(15_000)
        self._keep = keep

    def picture(self, name: str) -> None:
        """Keeps a screenshot of what is shown now."""
        self._keep(self.page, name)

    def heading(self) -> str:
        """The page's first heading."""
        return self.page.locator("h1").first.inner_text()

    def sign_in(self, pair_url: str, upn: str) -> None:
        """Opens the address on the phone's screen and signs in at the identity provider."""
        self.page.goto(pair_url)
        self.picture("sign-in")
        self.page.locator("a.button").click()
        self.picture("identity-provider")
        self.page.get_by_role("button", name=upn).click()
        self.page.wait_for_url("**/pair**")
        self.picture("signed-in")

    def type_code(self, code: str) -> str:
        """Types the pairing code; the text of the page that follows."""
        self.page.fill("#code", code)
        self.picture("code")
        self.page.locator("form[action^='/pair/code'] button").click()
        self.page.wait_for_load_state()
        self.picture("after-code")
        return self.page.locator("main").inner_text()

    def confirm(self) -> str:
        """Confirms the phone; the text of the last page."""
        self.page.locator("button[value=yes]").click()
        self.page.wait_for_load_state()
        self.picture("done")
        return self.page.locator("main").inner_text()
