"""Themes, sizes, keyboard, layout shift, first load."""

from __future__ import annotations

import json
import subprocess

import pytest
from playwright.sync_api import Browser, Page, expect

from webui.build import PANEL, find_node

from .support.canned import alert
from .support.server import PanelServer
from .support.visit import PATHS, settled


@pytest.mark.parametrize("width", [320, 720, 721, 1100, 1101, 2560])
def test_nothing_scrolls_sideways(page: Page, server: PanelServer, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for path in PATHS:
        settled(page, server.url + path)
        for direction in ("ltr", "rtl"):
            page.evaluate("dir => { document.documentElement.dir = dir }", direction)
            over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert over <= 0, f"{path} {direction}"


def test_the_page_does_not_move_while_it_loads_and_lives(page: Page, server: PanelServer) -> None:
    page.add_init_script(
        "window.moved = 0; new PerformanceObserver(list => { for (const one of list.getEntries())"
        " if (!one.hadRecentInput) window.moved += one.value; })"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    for path in PATHS:
        settled(page, server.url + path)
        expect(page.locator(".live.is-live")).to_be_visible()
        server.emit("metrics", {"at": server.status["now"], "hosts": server.status["hosts"]})
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        assert page.evaluate("window.moved") <= 0.02, path


def test_the_chosen_theme_holds_across_loads(page: Page, server: PanelServer) -> None:
    settled(page, f"{server.url}/account")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Dark").click()
    dark = page.evaluate(ground)
    assert dark != light
    settled(page, server.url)
    assert page.evaluate(ground) == dark
    page.get_by_role("button", name="Theme: dark").click()
    assert page.evaluate(ground) == light


def test_the_keyboard_reaches_the_content_and_shows_where_it_is(
    page: Page, server: PanelServer
) -> None:
    settled(page, server.url)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    expect(focused).to_have_text("See the run")
    assert focused.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"


def test_motion_stops_when_asked_to(browser: Browser, server: PanelServer) -> None:
    running = "document.getAnimations().filter(one => one.playState === 'running').length"
    for wish, moving in (("reduce", False), ("no-preference", True)):
        context = browser.new_context(reduced_motion="reduce" if wish == "reduce" else None)
        page = context.new_page()
        if wish != "reduce":
            page.emulate_media(reduced_motion="no-preference")
        settled(page, server.url)
        expect(page.locator(".live.is-live")).to_be_visible()
        assert (page.evaluate(running) > 0) is moving
        context.close()


def test_a_first_load_stays_small(static: object) -> None:
    done = subprocess.run(
        [str(find_node()), str(PANEL / "scripts" / "size.mjs")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_sentences_numbers_and_reducers(static: object) -> None:
    """The panel's own unit tests (vitest)."""
    vitest = PANEL / "node_modules" / "vitest" / "vitest.mjs"
    done = subprocess.run(
        [str(find_node()), str(vitest), "run", "--no-color"],
        cwd=PANEL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((PANEL / "package-lock.json").read_text())
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []


def test_text_of_others_stays_text_and_in_its_place(page: Page, server: PanelServer) -> None:
    hostile = "<img src=x onerror=document.title='taken'>" + "W" * 300
    server.alerts.insert(0, alert("al_x", "f_x", "critical", hostile, 0, rule="r" * 100))
    server.approvals[0]["message"] = hostile
    server.runs[0].update(playbook="p" * 64, host="h" * 253, error=hostile, approvals=[])
    server.status["hosts"][0]["name"] = "h" * 253
    page.set_viewport_size({"width": 320, "height": 800})
    for path in PATHS:
        settled(page, server.url + path)
        over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert over <= 0, path
        assert page.locator("main img").count() == 0
        assert "taken" not in page.title()
