"""The user of the demo at a computer: headless Chromium through the real pages."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from playwright.sync_api import Page, sync_playwright

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


class UserAtComputer:
    """One browser window with its own cookies. `pictures`: where a screenshot of every page is kept, if anywhere."""

    def __init__(self, language: str = "en-US", pictures: Path | None = None) -> None:
        program = shutil.which("chromium")
        if program is None:
            raise NotSeen("chromium is missing: `make setup-tests` installs it")
        self._profile = tempfile.TemporaryDirectory(prefix="demo-browser-")
        self._pictures = pictures
        self._count = 0
        self._driver = sync_playwright().start()
        self._context = self._driver.chromium.launch_persistent_context(
            self._profile.name,
            executable_path=program,
            args=list(QUIET),
            locale=language,
            ignore_https_errors=True,  # the local authority is not in Chromium's store; the phone checks it
            viewport={"width": 900, "height": 700},
        )
        self.page: Page = self._context.pages[0]
        self.page.set_default_timeout(15_000)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._context.close()
        self._driver.stop()
        self._profile.cleanup()

    def picture(self, name: str) -> None:
        """Keeps a screenshot of what is shown now."""
        if self._pictures is not None:
            self._count += 1
            self._pictures.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(self._pictures / f"{self._count:02}-{name}.png"))

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
