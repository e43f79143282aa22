"""The Overview: its answer, what needs a hand, and that it is live."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from .support import scene
from .support.canned import alert, decision
from .support.server import PanelServer

ANSWER = (
    "A run waits for your answer; three alerts are open, one of them critical;"
    " one agent is not running. The rest is well."
)


def opened(page: Page, server: PanelServer, path: str = "/") -> Page:
    """The page at `path`, connected."""
    page.goto(server.url + path)
    expect(page.locator(".live.is-live .said")).to_have_text("Live")
    return page


def test_it_opens_with_its_answer_and_the_most_urgent_first(
    page: Page, server: PanelServer, complaints: list[str]
) -> None:
    opened(page, server)
    expect(page.get_by_role("heading", level=1)).to_have_text(ANSWER)
    expect(page.locator(".need .t")).to_have_text(
        [
            "disk-cleanup: Grow /var on db-2 by 20 GiB?",
            "/var on db-2 is 93 % full",
            "Agent certificates on web-3 is silent",
            "Swap on cache-1 is 82 % used",
        ]
    )
    expect(page.locator(".need p").first).to_contain_text(re.compile(r"counts as no in 4\d.min"))
    expect(page.locator(".rs tbody tr").first).to_contain_text("db-2")
    assert complaints == []


def test_an_alert_and_its_end_arrive_without_a_reload(page: Page, server: PanelServer) -> None:
    opened(page, server)
    fresh = alert("al_new", "f_new", "critical", "/home on web-9 is full", 0)
    server.emit("alert", fresh)
    expect(page.locator(".need")).to_contain_text("/home on web-9 is full")
    expect(page.get_by_role("heading", level=1)).to_contain_text("four alerts are open, two")
    server.emit("alert", {**fresh, "status": "resolved", "resolved": scene.at(1)})
    expect(page.get_by_role("heading", level=1)).to_contain_text("three alerts are open")


def test_metrics_move_a_hosts_values(page: Page, server: PanelServer) -> None:
    opened(page, server)
    host = {**server.status["hosts"][0], "cpu": 99.0}
    server.emit("metrics", {"at": scene.at(2), "hosts": [host]})
    expect(page.locator(".rs tbody tr").first).to_contain_text("99")


def test_new_rows_wait_while_the_list_is_out_of_sight(page: Page, server: PanelServer) -> None:
    opened(page, server, "/decisions")
    page.set_viewport_size({"width": 1440, "height": 300})
    page.evaluate("scrollTo(0, 250)")
    rows = page.locator(".feed > li")
    expect(rows).not_to_have_count(0)
    before = rows.count()
    for number in range(3):
        text = f"new {number}"
        server.emit("decision", decision(f"f_n{number}", "alert", 1, {}, text=text))
    button = page.get_by_role("button", name="3 new")
    expect(button).to_be_visible()
    assert rows.count() == before
    button.click()
    expect(rows).to_have_count(before + 3)
    expect(rows.first).to_contain_text("Raised an alert: new")


def test_acknowledging_takes_the_alert_off_the_list(page: Page, server: PanelServer) -> None:
    opened(page, server)
    row = page.locator(".need > li").filter(has_text="Swap on cache-1")
    row.get_by_role("button", name="Acknowledge").click()
    expect(row).to_have_count(0)
    assert server.calls == [("POST", "/alerts/acknowledge/al_3", {})]


def test_pausing_takes_two_presses_and_keeps_the_reason(page: Page, server: PanelServer) -> None:
    opened(page, server)
    page.keyboard.press("Control+.")
    dialog = page.get_by_role("dialog", name="Pause automation?")
    expect(dialog).to_be_visible()
    assert server.calls == []
    dialog.get_by_label("Reason").fill("Database upgrade")
    dialog.get_by_role("button", name="Pause now").click()
    expect(page.locator(".deputy")).to_contain_text("Automation paused")
    expect(page.locator(".deputy .mode")).to_contain_text("Database upgrade")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Automation is paused.")
    assert server.calls == [("POST", "/system/pause", {"reason": "Database upgrade"})]


def test_resuming_shows_the_held_runs_first(page: Page, server: PanelServer) -> None:
    server.status["automation"].update(paused=True, by="omar", at=scene.at(-60), reason=None)
    server.runs.append({**server.runs[1], "id": "r_q", "status": "queued", "firing": None})
    opened(page, server)
    page.get_by_role("button", name="Resume…").click()
    dialog = page.get_by_role("dialog", name="Resume automation?")
    expect(dialog).to_contain_text("One run is held")
    expect(dialog.get_by_role("link", name="restart-service")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert server.calls == []
    page.get_by_role("button", name="Resume…").click()
    dialog.get_by_role("button", name="Resume now").click()
    expect(page.locator(".deputy")).to_contain_text("Automation on")


def test_a_viewer_is_told_why_the_switch_is_locked(page: Page, server: PanelServer) -> None:
    server.role = "viewer"
    opened(page, server)
    switch = page.get_by_role("button", name="Pause automation")
    expect(switch).to_have_attribute("aria-disabled", "true")
    expect(switch).to_have_accessible_description(re.compile("Only an operator or an admin"))
    switch.click(force=True)
    page.keyboard.press("Control+.")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("link", name="Review and answer")).to_have_count(0)


def press_if_there(page: Page, name: str) -> None:
    """The panel tries again by itself too: it may have been quicker than this hand."""
    page.get_by_role("button", name=name).evaluate_all("found => found[0]?.click()")


def test_a_lost_server_is_said_and_a_returned_one_too(page: Page, server: PanelServer) -> None:
    opened(page, server)
    page.context.set_offline(True)
    server.drop()
    band = page.locator(".band.offline")
    expect(band).to_contain_text("This browser lost Wakil at")
    expect(page.locator(".deputy")).to_contain_text("Wakil does not answer")
    expect(page.get_by_role("button", name="Pause automation")).to_have_attribute(
        "aria-disabled", "true"
    )
    server.alerts.append(alert("al_gap", "f_gap", "warning", "happened meanwhile", 0))
    page.context.set_offline(False)
    press_if_there(page, "Try now")
    expect(band).to_have_count(0)
    expect(page.locator(".need")).to_contain_text("happened meanwhile")


def test_a_failed_load_says_what_holds_and_tries_again(page: Page, server: PanelServer) -> None:
    server.failing["/system/status"] = 500
    page.goto(server.url)
    failure = page.get_by_role("alert")
    expect(failure).to_contain_text("Wakil could not answer this")
    expect(failure).to_contain_text("Nothing was changed")
    server.failing.clear()
    press_if_there(page, "Try again")
    expect(page.get_by_role("heading", level=1)).to_have_text(ANSWER)
