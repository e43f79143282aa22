"""The web application over a Wakil, with the token by which this machine's commands act."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask

from engine.app.system import Wakil
from webui.app import create_app
from webui.auth.tokens import issue_token
from webui.settings import WebSettings

_TOKEN_NAME = "this-machine"  # noqa: S105 - a token's name, not its text


@dataclass(frozen=True, slots=True)
class Web:
    """The Flask application, and the text of an admin's token for `server.json`."""

    app: Flask
    token: str


def build_web(wakil: Wakil) -> Web:
    """Voids the token of an earlier start and issues another."""
    settings = wakil.parts.settings
    web_settings = WebSettings.of(
        host=settings.host,
        public_url=settings.public_url,
        trusted_proxies=settings.trusted_proxies,
    )
    tokens = wakil.store.tokens
    for token in tokens.list():
        if token.name == _TOKEN_NAME and token.created_by == "wakil":
            tokens.remove(token.id)
    secret = issue_token(wakil.store, wakil.clock, _TOKEN_NAME, "admin", "wakil")
    return Web(create_app(wakil, web_settings), secret)
