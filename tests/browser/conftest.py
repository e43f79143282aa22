"""A built panel, a server to serve it, and a browser to open it with."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from webui.build import ROOT, STATIC, build, find_node, install_packages

from .support.server import PanelServer

CHROMIUM = os.environ.get("WAKIL_CHROMIUM", "/usr/bin/chromium")


@pytest.fixture(scope="session")
def static() -> Path:
    """The built panel; one worker builds it, the others wait."""
    lock = ROOT / ".build" / "panel.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        install_packages(find_node())
        build()
    return STATIC


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium a file."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def server(static: Path) -> Iterator[PanelServer]:
    """A server with the scene, somebody signed in as operator."""
    running = PanelServer(static)
    running.signed_in = True
    yield running
    running.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console said that it should not: errors, refusals of the CSP."""
    return []


def watched(context: BrowserContext, complaints: list[str]) -> Page:
    """A page whose errors are collected."""
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: complaints.append(message.text) if message.type == "error" else None,
    )
    return page


@pytest.fixture
def page(browser: Browser, complaints: list[str]) -> Iterator[Page]:
    """A desktop page, light, without motion, in a time zone that is not UTC."""
    options: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
    context = browser.new_context(
        **options, color_scheme="light", reduced_motion="reduce", timezone_id="Asia/Riyadh"
    )
    yield watched(context, complaints)
    context.close()
