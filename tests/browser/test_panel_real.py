"""The panel against the web layer itself: cookies, CSP, Origin, rights, live events."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.web import FakeSystem
from werkzeug.serving import WSGIRequestHandler, make_server

from engine.core.clock import SystemClock
from engine.core.decisions import Because, Decision
from engine.core.facts import Fact
from engine.core.runs import Approval, Run, Step, Trigger
from engine.core.values import MINUTE, SECOND
from engine.store.store import Store
from webui.app import create_app
from webui.auth.setup import offer_setup
from webui.settings import WebSettings

SECRET = "correct horse battery"


class QuietHandler(WSGIRequestHandler):
    """Tests need no access log."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@dataclass
class Real:
    """The web layer over a true store."""

    url: str
    system: FakeSystem
    store: Store


@pytest.fixture
def real(static: Path, tmp_path: Path) -> Iterator[Real]:
    store = Store.open(tmp_path / "wakil.db")
    system = FakeSystem(store, tmp_path, SystemClock())
    app = create_app(system, WebSettings(static=static))
    live = app.extensions["wakil-live"]
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    live.start()
    yield Real(f"http://127.0.0.1:{server.server_port}", system, store)
    live.stop()
    server.shutdown()
    thread.join()
    server.server_close()
    store.close()


def enter(page: Page, real: Real) -> None:
    """Make the first admin by the set-up link, which opens the Overview."""
    link = offer_setup(real.store, real.system.clock, real.url)
    assert link is not None
    page.goto(link)
    page.get_by_label("Name").fill("layla")
    page.get_by_label("Password", exact=True).fill(SECRET)
    page.get_by_label("Password, once more").fill(SECRET)
    page.get_by_role("button", name="Create the admin").click()
    expect(page.locator(".live.is-live .said")).to_have_text("Live")


def fire(real: Real) -> tuple[Run, Approval]:
    """A rule fires: alert, run, a step done, a question asked; all of it told on the bus."""
    now = real.system.clock.now()
    key = {"host": "web-1", "mount": "/"}
    fact = Fact("disk", now - SECOND, "web-1", {"mount": "/", "used_percent": 93.5})
    real.system.accept([fact])
    because = (Because("disk.used_percent >= 90", "policies/disk.yaml", 7, fact),)
    shown = {"text": "/ on web-1 is 94 % full", "severity": "critical", "tell": "always"}
    asks = {"playbook": "disk-cleanup", "with": {"mount": "/"}}
    recorded = real.store.decisions.record(
        [
            Decision(now, "disk", "full", "alert", key, shown, "f1", because, 0),
            Decision(now, "disk", "full", "run", key, asks, "f1", because, 1),
        ],
        commit="abc",
        arrived=now,
    )
    trigger = Trigger("disk/full", "f1", requester="rule:disk/full")
    run = Run("r1", "disk-cleanup", "waiting", {"mount": "/"}, trigger, "abc", "web-1", now, now)
    real.store.runs.add_run(run)
    step = Step("r1", "steps.0", "Prune", "steps", "succeeded", "files.prune", 1, now, now + 1)
    real.store.runs.save_step(step)
    question = Approval(
        "a1", "r1", "steps.1", "Grow it?", "operator", "d1", "waiting", now, now + 30 * MINUTE
    )
    real.store.runs.add_approval(question)
    for topic, payloads in (
        ("decision", recorded.decisions),
        ("alert", recorded.alerts),
        ("run", (run,)),
        ("approval", (question,)),
    ):
        for payload in payloads:
            real.system.bus.publish(topic, payload)
    return run, question


def test_from_the_set_up_link_to_the_first_firing(
    page: Page, real: Real, complaints: list[str]
) -> None:
    enter(page, real)
    expect(page.get_by_role("heading", level=1)).to_have_text("All is well. Nothing needs you.")
    fire(real)
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "A run waits for your answer; one alert is open, and it is critical. The rest is well."
    )
    expect(page.locator(".need .t")).to_have_text(
        ["disk-cleanup on web-1: Grow it?", "/ on web-1 is 94 % full"]
    )
    expect(page.locator(".feed > li")).to_contain_text("Began disk-cleanup on web-1 /")
    page.locator(".feed").get_by_role("link").click()
    expect(page.locator(".chain > li")).to_have_count(6)
    expect(page.locator(".chain")).to_contain_text("used_percent = 93.5")
    page.get_by_role("link", name="disk-cleanup").click()
    expect(page.locator(".approve")).to_contain_text("Grow it?")
    # The first look for a session is answered 401, which browsers log by themselves.
    assert [said for said in complaints if "401" not in said] == []


def test_answering_acknowledging_and_pausing_pass_the_gate(page: Page, real: Real) -> None:
    enter(page, real)
    _, question = fire(real)
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".need .t")).to_have_text(["disk-cleanup on web-1: Grow it?"])
    alert = real.store.alerts.get("f1")
    assert alert is not None
    assert (alert.status, alert.acknowledged_by) == ("acknowledged", "user:layla")
    page.get_by_role("link", name="Review and answer").click()
    page.locator(".approve").get_by_role("button", name="Approve").click()
    expect(page.locator(".approve")).to_have_count(0)
    expect(page.locator(".answers")).to_contain_text("layla")
    answered = real.store.runs.get_approval(question.id)
    assert answered is not None
    assert answered.status == "approved"
    page.keyboard.press("Control+.")
    page.get_by_label("Reason").fill("Upgrade")
    page.get_by_role("button", name="Pause now").click()
    expect(page.locator(".deputy .mode")).to_contain_text("by layla")
    page.get_by_role("button", name="Resume…").click()
    page.get_by_role("button", name="Resume now").click()
    expect(page.locator(".deputy")).to_contain_text("Automation on")
    assert [act for act, _ in real.system.acts] == ["answer", "pause", "resume"]


def test_signing_out_and_in_again(page: Page, real: Real) -> None:
    enter(page, real)
    page.goto(f"{real.url}/account")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Name").fill("layla")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    page.get_by_label("Password").fill(SECRET)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".live.is-live .said")).to_have_text("Live")


def test_the_api_is_described_behind_the_gate(
    page: Page, real: Real, complaints: list[str]
) -> None:
    enter(page, real)
    page.goto(f"{real.url}/docs")
    expect(page.locator(".opblock").first).to_be_visible()
    assert [said for said in complaints if "401" not in said] == []
