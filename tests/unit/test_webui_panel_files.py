"""The built panel: its page for its own addresses, assets for ever, nothing else."""

from __future__ import annotations

import pytest
from support.web import Web


@pytest.fixture
def web(tmp_path):
    opened = Web(tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "path", ["/", "/setup", "/alerts", "/decisions", "/decisions/f1", "/runs", "/runs/r1"]
)
def test_the_page_is_open_at_every_address_of_the_panel(web: Web, path: str):
    with web.client().get(path) as answered:
        assert answered.status_code == 200
        assert "<title>Wakil</title>" in answered.text
        assert answered.headers["Cache-Control"] == "no-cache"


def test_assets_are_kept_for_ever_and_root_files_are_not(web: Web):
    with web.client().get("/assets/index-abc123.js") as answered:
        assert answered.text == "// panel"
        assert "immutable" in answered.headers["Cache-Control"]
    with web.client().get("/theme.js") as answered:
        assert answered.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../../wakil.db",
        "/assets/%2e%2e/%2e%2e/wakil.db",
        "/assets/..%2f..%2fwakil.db",
        "/assets//etc/passwd",
        "/assets/none.js",
    ],
)
def test_nothing_beside_the_assets_is_served(web: Web, path: str):
    with web.client().get(path) as answered:
        assert answered.status_code in (401, 404)
        assert b"SQLite" not in answered.data


def test_a_panel_that_is_not_built_is_said_so(tmp_path):
    web = Web(tmp_path)
    (tmp_path / "static" / "index.html").unlink()
    answered = web.client().get("/")
    assert (answered.status_code, answered.mimetype) == (503, "text/plain")
    assert "not built" in answered.text
    web.close()


def test_the_description_of_the_api_is_shown_to_whoever_signed_in(web: Web, tmp_path):
    (tmp_path / "static" / "docs").mkdir()
    (tmp_path / "static" / "docs" / "index.html").write_text("<title>API</title>")
    (tmp_path / "static" / "docs" / "start.js").write_text("// start")
    for path, text in {"/docs": "API", "/docs/": "API", "/docs/start.js": "start"}.items():
        with web.client("viewer").get(path) as answered:
            assert text in answered.text
        assert web.client().get(path).status_code == 401
