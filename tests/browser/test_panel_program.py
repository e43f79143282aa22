"""The panel against the real program, as a person meets it: `wakil run`, its link, a fault."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from support.wakil import RunningWakil, write_files

from .conftest import watched

SECRET = "correct horse battery"
# It takes its time to come up, as services do: an alert that is open can be seen.
WORKER = """#!/bin/sh
sleep 0.5
echo $$ > {pid}
exec sleep 1000
"""
SERVICES = """name: services
rules:
  - name: service-down
    when: service.state in ["stopped", "failed"]
    severity: critical
    then:
      - alert: "{{ service.name }} on {{ host }} is {{ service.state }}"
      - run: restart-service
        with: {name: "{{ service.name }}"}
"""
CONTENT = {
    "policies/services.yaml": SERVICES,
    "policies/guard.yaml": """name: guard
rules:
  - name: destructive
    when: run.destructive
    then: [{ask: {role: operator, timeout: 1h}, reason: this cannot be undone}]
""",
    "playbooks/restart-service.yaml": """name: restart-service
inputs: {name: {type: string, required: true}}
steps:
  - {name: Restart the service, uses: service.restart, with: {name: "{{ inputs.name }}"}}
verify: {that: service.state == "running", within: 30s}
""",
    "playbooks/end-process.yaml": """name: end-process
inputs: {pid: {type: integer, required: true}}
steps:
  - {name: End the process, uses: process.terminate, with: {pid: "{{ inputs.pid }}", grace: 5s}}
""",
}
# Everything that the page ever said: an alert may open and resolve between two looks.
REMEMBER = """() => {
  window.said = [];
  const look = () => window.said.push(document.querySelector('#main')?.textContent ?? '');
  const all = {subtree: true, childList: true, characterData: true};
  new MutationObserver(look).observe(document.body, all);
}"""


class Site:
    """A Wakil that watches one service, and whoever signed in to it first."""

    def __init__(self, wakil: RunningWakil, pid_file: Path) -> None:
        self.wakil, self.pid_file = wakil, pid_file
        self.cookies: list[Any] = []

    @property
    def url(self) -> str:
        return str(self.wakil.server["url"])

    def kill_worker(self) -> int:
        pid = int(self.pid_file.read_text())
        os.kill(pid, signal.SIGKILL)
        return pid


@pytest.fixture(scope="module")
def site(
    static: Path, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The program, set up by the link it hands out; its service runs."""
    place = tmp_path_factory.mktemp("program")
    pid_file, program = place / "worker.pid", place / "worker"
    program.write_text(WORKER.format(pid=pid_file))
    program.chmod(0o755)
    worker = {"name": "worker", "manager": "pidfile", "pid_file": str(pid_file)}
    agents = {
        "performance": {"every": "2s"},
        "logs": {"enabled": False},
        "apps": {"every": "1s", "services": [{**worker, "start": [str(program)]}]},
    }
    settings = {"server": {"host_name": "box"}, "automation": {"mode": "auto"}}
    files = {
        "configs/agents.yaml": json.dumps({"agents": agents}),
        "configs/wakil.yaml": json.dumps(settings),
    }
    content = write_files(place / "content", {**CONTENT, **files})
    with RunningWakil(content, place / "data") as wakil:
        found = Site(wakil, pid_file)
        context = browser.new_context()
        first = watched(context, [])
        first.goto((place / "data" / "setup-link").read_text().strip())
        _choose(first, "layla")
        first.get_by_role("button", name="Create the admin").click()
        expect(first.locator(".live.is-live .said")).to_have_text("Live")
        # It was never started: the first fault, which is healed by itself.
        expect(first.locator(".feed > li").first).to_contain_text("Verified", timeout=30_000)
        found.cookies = context.cookies()
        context.close()
        yield found
    if pid_file.exists():
        found.kill_worker()


def _choose(page: Page, name: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(SECRET)
    page.get_by_label("Password, once more").fill(SECRET)


@pytest.fixture
def panel(page: Page, site: Site) -> Page:
    """The Overview, live, of the first admin."""
    page.context.add_cookies(site.cookies)
    page.goto(site.url)
    expect(page.locator(".live.is-live .said")).to_have_text("Live")
    return page


def test_a_fault_is_seen_firing_and_healed_without_a_reload(
    panel: Page, site: Site, complaints: list[str]
) -> None:
    rows = panel.locator(".feed > li")
    before = rows.count()
    panel.evaluate(REMEMBER)
    dead = site.kill_worker()
    expect(rows).to_have_count(before + 1)
    expect(rows.first).to_contain_text("Verified", timeout=30_000)
    expect(rows.first).to_contain_text(re.compile("Ran restart-service on box worker after"))
    expect(panel.get_by_role("heading", level=1)).to_have_text("All is well. Nothing needs you.")
    assert int(site.pid_file.read_text()) != dead
    # The page that was there all the time saw the alert too: nothing was loaded anew.
    said = panel.evaluate("() => window.said.join()")
    assert "worker on box is stopped" in said
    assert "One alert is open, and it is critical" in said

    rows.first.get_by_role("link").click()
    marks = ["1 · Fact", "2 · Condition", "3 · Rule", "4 · Decision", "5 · Run", "6 · Outcome"]
    expect(panel.locator(".chain .w")).to_have_text(marks)
    chain = panel.locator(".chain")
    expect(chain).to_contain_text('service.state in ["stopped", "failed"]')
    expect(chain).to_contain_text("policies/services.yaml:3")
    expect(chain).to_contain_text("Raise an alert and run restart-service")
    expect(chain.locator("> li").last).to_contain_text("The alert resolved")
    chain.get_by_role("link", name="restart-service").click()
    expect(panel.get_by_role("heading", level=1)).to_have_text(
        "restart-service on box did what it promised"
    )
    steps = panel.locator(".steps > li")
    expect(steps.filter(has_text="Restart the service")).to_contain_text("Done")
    expect(steps.filter(has_text="Verify")).to_contain_text("Done")
    assert complaints == []


@pytest.fixture
def victim() -> Iterator[subprocess.Popen[bytes]]:
    """A process that a playbook may end."""
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process
        process.kill()


def test_a_question_is_answered_in_the_panel_and_the_run_goes_on(
    panel: Page, site: Site, victim: subprocess.Popen[bytes], browser: Browser
) -> None:
    started = site.wakil.post("/playbooks/end-process/run", {"inputs": {"pid": victim.pid}})
    need = panel.locator(".need > li").filter(has_text="end-process")
    expect(need).to_contain_text("Unanswered, it counts as no in 59")
    _look_as_viewer(browser, site, started["id"])
    assert victim.poll() is None

    need.get_by_role("link", name="Review and answer").click()
    expect(panel.get_by_role("heading", level=1)).to_have_text(
        "end-process on box waits for your answer"
    )
    box = panel.locator(".approve")
    expect(box).to_contain_text("cannot be undone. Next: process.terminate.")
    expect(box).to_contain_text("If nobody answers")
    box.get_by_label("Comment").fill("It is mine")
    box.get_by_role("button", name="Approve").click()
    expect(panel.get_by_role("heading", level=1)).to_have_text(
        "end-process on box did what it promised"
    )
    expect(panel.locator(".answers")).to_contain_text("layla")
    expect(panel.locator(".answers")).to_contain_text("It is mine")
    assert victim.wait(10) == -signal.SIGTERM


def _look_as_viewer(browser: Browser, site: Site, run: str) -> None:
    """A viewer reads the same and finds every button locked, with the reason."""
    site.wakil.post("/users", {"name": "vera", "role": "viewer", "password": SECRET})
    context = browser.new_context()
    page = watched(context, [])
    page.goto(site.url)
    page.get_by_label("Name").fill("vera")
    page.get_by_label("Password").fill(SECRET)
    page.get_by_role("button", name="Sign in").click()
    switch = page.get_by_role("button", name="Pause automation")
    expect(switch).to_have_attribute("aria-disabled", "true")
    expect(switch).to_have_accessible_description(re.compile("Only an operator or an admin"))
    expect(page.locator(".need > li")).to_contain_text("end-process")
    expect(page.get_by_role("link", name="Review and answer")).to_have_count(0)
    page.goto(f"{site.url}/runs/{run}")
    box = page.locator(".approve")
    expect(box).to_contain_text("You cannot answer: this asks for the role operator.")
    for name in ("Approve", "Reject"):
        expect(box.get_by_role("button", name=name)).to_have_attribute("aria-disabled", "true")
    context.close()


def test_paused_by_two_presses_it_holds_the_run_until_resumed(panel: Page, site: Site) -> None:
    panel.get_by_role("button", name="Pause automation").click()
    panel.get_by_label("Reason").fill("Upgrade")
    panel.get_by_role("button", name="Pause now").click()
    expect(panel.locator(".deputy .mode")).to_contain_text("by layla")
    site.kill_worker()
    expect(panel.locator(".need")).to_contain_text("worker on box is stopped")
    expect(panel.locator(".feed > li").first).to_contain_text(
        "Will run restart-service on box worker when automation is resumed."
    )

    panel.get_by_role("button", name="Resume…").click()
    dialog = panel.get_by_role("dialog", name="Resume automation?")
    expect(dialog).to_contain_text("“Upgrade”")
    expect(dialog).to_contain_text("One run is held and goes on when you resume:")
    expect(dialog.get_by_role("link", name="restart-service")).to_be_visible()
    dialog.get_by_role("button", name="Resume now").click()
    expect(panel.locator(".deputy")).to_contain_text("Automation on")
    expect(panel.locator(".feed > li").first).to_contain_text("Verified", timeout=30_000)
    expect(panel.get_by_role("heading", level=1)).to_have_text("All is well. Nothing needs you.")


def test_content_with_a_mistake_is_shown_with_its_place(panel: Page, site: Site) -> None:
    rules = site.wakil.content / "policies" / "services.yaml"
    rules.write_text(SERVICES.replace("service.state in", "service.stat in"))
    needs = panel.locator(".need")
    expect(needs).to_contain_text("The newest content is refused: 1 error")
    expect(needs).to_contain_text(
        "Wakil keeps the content it had. First: policies/services.yaml:4:11 "
        "service has no field 'stat'; did you mean 'state'?"
    )
    expect(panel.get_by_role("heading", level=1)).to_contain_text("The newest content is refused")
    rules.write_text(SERVICES)
    expect(panel.get_by_role("heading", level=1)).to_have_text("All is well. Nothing needs you.")
