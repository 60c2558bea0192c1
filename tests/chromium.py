"""Debian's Chromium, driven by Playwright; installed first where it is missing and that can be done."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


def executable() -> str:
    """The path of a Chromium. Raises RuntimeError where there is none and it cannot be installed."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found:
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise RuntimeError("The report's tests need Chromium. Install it: apt-get install chromium")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    found = shutil.which("chromium")
    if not found:
        raise RuntimeError(f"The report's tests need Chromium, and apt-get could not install it:\n{done.stderr}")
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window, for as long as the context lasts."""
    path = executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()
