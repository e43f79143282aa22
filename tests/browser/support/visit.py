"""The panel's addresses, and opening one."""

from __future__ import annotations

from playwright.sync_api import Page, expect

PATHS = ("/", "/decisions", "/decisions/f_3fa91c0e", "/runs", "/runs/r_8kq4", "/alerts", "/account")


def settled(page: Page, url: str) -> None:
    """Open an address and wait until its data is there."""
    page.goto(url)
    expect(page.locator("h1:not(.vh)")).to_be_visible()
    expect(page.locator(".skel")).to_have_count(0)
