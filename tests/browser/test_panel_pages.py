"""One decision's chain, one run's timeline, the lists, and the addresses between them."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from .support import scene
from .support.server import PanelServer


def test_a_decision_tells_the_chain_from_fact_to_outcome(
    page: Page, server: PanelServer, complaints: list[str]
) -> None:
    page.goto(f"{server.url}/decisions/f_3fa91c0e")
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Why did Wakil run disk-cleanup on web-1 /?"
    )
    expect(page.locator(".chain .w")).to_have_text(
        ["1 · Fact", "2 · Condition", "3 · Rule", "4 · Decision", "5 · Run", "6 · Outcome"]
    )
    expect(page.locator(".chain .hl")).to_have_text("used_percent: 91.4")
    expect(page.locator(".chain")).to_contain_text("policies/disk.yaml:6@8c1f2ae")
    expect(page.locator(".chain > li").last).to_contain_text("Verified: disk.used_percent < 85")
    expect(page.locator(".chartbox canvas")).to_be_visible()
    page.get_by_text("As table").click()
    expect(page.locator(".astable tbody tr")).to_have_count(32)
    page.get_by_role("button", name="As JSON").click()
    expect(page.locator("pre.ev")).to_contain_text('"firing": "f_3fa91c0e"')
    assert complaints == []


def test_a_decision_follows_its_run_live(page: Page, server: PanelServer) -> None:
    page.goto(f"{server.url}/decisions/f_3fa91c0e")
    expect(page.locator(".live.is-live")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_request(lambda request: request.url.endswith("/decisions/f_3fa91c0e")):
        server.emit("run", scene.verified_run())
    assert asked


def test_a_run_says_what_follows_and_sends_the_digest_it_showed(
    page: Page, server: PanelServer
) -> None:
    page.goto(f"{server.url}/runs/r_8kq4")
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "disk-cleanup on db-2 waits for your answer"
    )
    box = page.locator(".approve")
    expect(box).to_contain_text("If you approve")
    expect(box).to_contain_text("At least one of them cannot be undone. Next: lvm.extend.")
    expect(box).to_contain_text("If you reject")
    expect(box).to_contain_text("1 step is taken back")
    expect(box).to_contain_text(re.compile(r"If nobody answers\s*Same as reject, at \d\d:"))
    expect(box.get_by_role("timer")).to_have_text(re.compile(r"^4\d:\d\d$"))
    expect(page.locator(".steps > li")).to_have_count(6)
    expect(page.locator(".steps > li[aria-current=step]")).to_contain_text("Grow /var?")
    expect(page.locator(".term")).to_contain_text("found 94 files")
    box.get_by_role("button", name="Approve").click()
    expect(box).to_have_count(0)
    expect(page.locator(".answers")).to_contain_text("Approved")
    assert server.calls == [("POST", "/approvals/ap_1/approve", {"digest": "sha256:5d20c1"})]


def test_a_rejection_asks_for_its_reason(page: Page, server: PanelServer) -> None:
    page.goto(f"{server.url}/runs/r_8kq4#approve")
    box = page.locator(".approve")
    box.get_by_role("button", name="Reject").click()
    expect(box.get_by_role("alert")).to_contain_text("Say why")
    expect(box.get_by_role("textbox")).to_be_focused()
    assert server.calls == []
    box.get_by_role("textbox").fill("Not tonight")
    box.get_by_role("button", name="Reject").click()
    expect(page.locator(".answers")).to_contain_text("Rejected")
    body = {"digest": "sha256:5d20c1", "comment": "Not tonight"}
    assert server.calls == [("POST", "/approvals/ap_1/reject", body)]


def test_a_question_that_changed_is_not_answered(page: Page, server: PanelServer) -> None:
    page.goto(f"{server.url}/runs/r_8kq4")
    expect(page.locator(".approve")).to_be_visible()
    server.approvals[0]["digest"] = "sha256:other"
    page.locator(".approve").get_by_role("button", name="Approve").click()
    expect(page.locator(".approve").get_by_role("alert")).to_contain_text("changed while you read")


def test_the_output_is_held_on_request(page: Page, server: PanelServer) -> None:
    page.goto(f"{server.url}/runs/r_8kq4")
    expect(page.locator(".live.is-live")).to_be_visible()
    page.get_by_role("button", name="Stop following").click()
    server.runs[0]["steps"][3]["log"] += "one line more\n"
    with page.expect_response(lambda answer: answer.url.endswith("/runs/r_8kq4")):
        server.emit("run", server.runs[0])
    expect(page.locator(".term")).not_to_contain_text("one line more")
    page.get_by_role("button", name="Follow", exact=True).click()
    expect(page.locator(".term")).to_contain_text("one line more")


def test_every_link_leads_somewhere(page: Page, server: PanelServer) -> None:
    page.goto(server.url)
    expect(page.locator(".live.is-live")).to_be_visible()
    hrefs = page.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))")
    for href in sorted({link for link in hrefs if link.startswith("/")}):
        page.goto(server.url + href)
        expect(page.locator("h1").first).to_be_attached()
        expect(page.get_by_text("There is nothing at this address")).to_have_count(0)


def test_a_wrong_address_says_so_and_leads_back(page: Page, server: PanelServer) -> None:
    page.goto(f"{server.url}/no/such/page")
    expect(page.locator("main")).to_contain_text("There is nothing at this address")
    page.locator("main").get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", name="Needs you")).to_be_visible()
    page.goto(f"{server.url}/runs/nope")
    expect(page.get_by_role("alert")).to_contain_text("There is nothing at this address")


def test_pages_have_names_and_the_back_button_works(page: Page, server: PanelServer) -> None:
    page.goto(server.url)
    page.locator(".nav").get_by_role("link", name="Runs").click()
    expect(page).to_have_title("Runs · Wakil")
    expect(page.locator("main")).to_be_focused()
    page.get_by_role("link", name="disk-cleanup db-2").click()
    expect(page).to_have_title("disk-cleanup on db-2 waits for your answer · Wakil")
    page.go_back()
    expect(page).to_have_title("Runs · Wakil")


def test_runs_are_filtered_and_alerts_grouped(page: Page, server: PanelServer) -> None:
    page.goto(f"{server.url}/runs")
    expect(page.locator(".feed > li")).to_have_count(6)
    page.get_by_role("button", name="Failed").click()
    expect(page.locator(".feed > li")).to_have_count(2)
    page.goto(f"{server.url}/alerts")
    expect(page.locator(".grp")).to_have_text(["Open 3", "Acknowledged 1", "Resolved 1"])
    page.locator(".alerts > li").first.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".grp")).to_have_text(["Open 2", "Acknowledged 2", "Resolved 1"])


def test_the_api_is_described_from_local_files(
    page: Page, server: PanelServer, complaints: list[str]
) -> None:
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/api/")[0].split("/docs")[0]))
    page.goto(f"{server.url}/docs")
    page.locator(".opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table")).to_contain_text("200")
    assert server.calls == [("POST", "/system/pause", {})]
    assert {host for host in hosts if host.startswith("http")} <= {
        server.url,
        f"{server.url}/favicon.svg",
    }
    assert complaints == []
