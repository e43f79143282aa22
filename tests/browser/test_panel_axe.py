"""The rules of WCAG 2.2 AA that axe can check, on every page, in both themes, wide and narrow."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser

from webui.build import PANEL

from .conftest import watched
from .support.server import PanelServer
from .support.visit import PATHS, settled

AXE = PANEL / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_nothing(
    browser: Browser, server: PanelServer, complaints: list[str], theme: str, width: int
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = watched(context, complaints)
    for path in PATHS:
        settled(page, server.url + path)
        page.evaluate(AXE.read_text())
        found = page.evaluate(
            "rules => axe.run(document, {runOnly: rules}).then(all => all.violations.map("
            "one => [one.id, one.nodes.map(node => node.target.join(' ')).slice(0, 3)]))",
            RULES,
        )
        assert json.dumps(found) == "[]", f"{path}, {theme}, {width} px"
    context.close()
    assert complaints == []
