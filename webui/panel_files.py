"""The built panel: hashed assets for ever, its page for every address of the panel."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from flask import Flask, Response, send_from_directory

PAGES: Final = (
    "/",
    "/setup",
    "/account",
    "/alerts",
    "/decisions",
    "/decisions/<id>",
    "/runs",
    "/runs/<id>",
)
"""Addresses that the panel's own router knows."""
_FOR_EVER: Final = "public, max-age=31536000, immutable"


def add_panel(app: Flask, static: Path) -> None:
    """Adds pages and assets from the directory the panel is built into."""

    def panel(**ignored: str) -> Response:
        if not (static / "index.html").is_file():
            return Response(
                "The panel is not built: run `make panel`, or install the wheel.\n",
                503,
                mimetype="text/plain",
            )
        response = send_from_directory(static, "index.html")
        response.headers["Cache-Control"] = "no-cache"
        return response

    def asset(path: str) -> Response:
        response = send_from_directory(static / "assets", path)
        response.headers["Cache-Control"] = _FOR_EVER
        return response

    def docs(path: str = "index.html") -> Response:
        response = send_from_directory(static / "docs", path)
        response.headers["Cache-Control"] = "no-cache"
        return response

    def file(name: str) -> Response:
        response = send_from_directory(static, name)
        response.headers["Cache-Control"] = "no-cache"
        return response

    for page in PAGES:
        app.add_url_rule(page, "panel", panel)
    app.add_url_rule("/assets/<path:path>", "asset", asset)
    app.add_url_rule("/docs", "docs", docs)
    app.add_url_rule("/docs/", "docs", docs)
    app.add_url_rule("/docs/<path:path>", "docs", docs)
    for name in _root_files(static):
        app.add_url_rule(f"/{name}", "file", file, defaults={"name": name})


def _root_files(static: Path) -> list[str]:
    if not static.is_dir():
        return []
    names = [each.name for each in static.iterdir() if each.is_file()]
    return sorted(name for name in names if name != "index.html" and not name.startswith("."))
