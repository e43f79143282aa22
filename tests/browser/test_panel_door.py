"""Sign-in, set-up, and what happens when a session ends."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from .support.server import PASSWORD, PanelServer


def test_signing_in_wrongly_and_rightly(page: Page, server: PanelServer) -> None:
    server.signed_in = False
    page.goto(f"{server.url}/runs")
    page.get_by_label("Name").fill("layla")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    expect(page.get_by_label("Password")).to_have_value("")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("One run waits for your answer")


def test_set_up_takes_its_token_from_behind_the_hash(page: Page, server: PanelServer) -> None:
    server.signed_in = False
    paths: list[str] = []
    page.on("request", lambda request: paths.append(request.url))
    page.goto(f"{server.url}/setup#once")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_label("Password, once more").fill("short")
    page.get_by_role("button", name="Create the admin").click()
    expect(page.get_by_role("alert")).to_contain_text("at least 8 characters")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create the admin").click()
    expect(page.get_by_role("alert")).to_contain_text("differ")
    page.get_by_label("Password, once more").fill(PASSWORD)
    page.get_by_role("button", name="Create the admin").click()
    expect(page.get_by_role("heading", name="Needs you")).to_be_visible()
    expect(page).to_have_url(f"{server.url}/")
    body = {"token": "once", "name": "admin", "password": PASSWORD}
    assert server.calls == [("POST", "/setup", body)]
    assert not [path for path in paths if "once" in path.split("#")[0]]


def test_a_used_set_up_link_says_so(page: Page, server: PanelServer) -> None:
    server.signed_in = False
    page.goto(f"{server.url}/setup#twice")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password, once more").fill(PASSWORD)
    page.get_by_role("button", name="Create the admin").click()
    expect(page.get_by_role("alert")).to_contain_text("This set-up link is not valid")


def test_an_ended_session_leads_to_sign_in_with_its_reason(page: Page, server: PanelServer) -> None:
    page.goto(server.url)
    expect(page.locator(".live.is-live .said")).to_have_text("Live")
    page.wait_for_load_state("networkidle")  # what the new line asks for is still signed in
    server.signed_in = False
    page.get_by_role("button", name="Acknowledge").first.click()
    expect(page.locator(".door .band")).to_contain_text("Your session ended")


def test_a_line_refused_for_want_of_a_session_leads_to_sign_in(
    page: Page, server: PanelServer
) -> None:
    page.goto(server.url)
    expect(page.locator(".live.is-live .said")).to_have_text("Live")
    page.wait_for_load_state("networkidle")
    server.signed_in = False
    server.drop()
    expect(page.locator(".door .band")).to_contain_text("Your session ended")


def test_signing_out(page: Page, server: PanelServer) -> None:
    page.goto(f"{server.url}/account")
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed in as Layla Haddad")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to Wakil")
    assert server.calls == [("DELETE", "/session", {})]


def test_a_server_that_is_not_there_is_not_a_sign_in(page: Page, server: PanelServer) -> None:
    server.failing["/session"] = 503
    page.goto(server.url)
    expect(page.get_by_role("alert")).to_contain_text("Wakil did not answer")
    server.failing.clear()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Needs you")).to_be_visible()
