"""`wakil doctor`: what is wrong with this installation, and how to mend it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import click

from engine.app.places import ServerFile
from engine.cli.options import Where, format_option, place_options, resolve
from engine.cli.reports import print_findings
from engine.core.errors import LangError, WakilError

_LEAST_FREE = 200 << 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `mend` says what to do where it is not well."""

    what: str
    state: Literal["well", "note", "wrong"]
    said: str
    mend: str = ""


@click.command()
@format_option("text", "json")
@place_options
def doctor(format_: str, **place: Any) -> None:
    """What is wrong with this installation, and how to mend it; exit 1 where anything is."""
    where = resolve(**place, make_data=False)
    findings = list(_examine(where))
    print_findings([(each.what, each.state, each.said, each.mend) for each in findings], format_)
    if any(finding.state == "wrong" for finding in findings):
        raise click.exceptions.Exit(1)


def _examine(where: Where) -> Iterator[Finding]:
    yield Finding("python", "well", sys.version.split()[0])
    yield _panel()
    yield from _content(where)
    yield _data(where)
    yield _server(where)
    yield _sqlite()
    yield _systemd()


def _panel() -> Finding:
    from webui.settings import STATIC

    if (STATIC / "index.html").is_file():
        return Finding("panel", "well", "built")
    return Finding("panel", "wrong", "is not built", "run 'make panel', or install the wheel")


def _content(where: Where) -> Iterator[Finding]:
    from engine.act.authorise import permissions
    from engine.act.charter import compile_charter
    from engine.app.loading import load_bundle
    from engine.app.machine import read_machine
    from engine.app.planted import refuse_planted
    from engine.lang.settings import settings_of

    try:
        machine = read_machine(where.content, where.data, where.config)
        for warning in machine.warnings:
            yield Finding("settings", "note", warning)
        bundle = load_bundle(where.content, machine.settings)
    except LangError as error:
        yield Finding(
            "content",
            "wrong",
            f"{len(error.problems)} problems in {where.content}",
            f"'wakil check {where.content}' names each",
        )
        return
    except WakilError as error:
        yield Finding("content", "wrong", error.message, "choose other content with --content")
        return
    rules = len(bundle.rules)
    yield Finding("content", "well", f"{where.content}: {rules} rules at {bundle.commit}")
    settings = settings_of(machine.settings, bundle.settings)
    try:
        refuse_planted(where.data, settings.user)
    except WakilError as error:
        yield Finding("data", "wrong", error.message)
    allowed = permissions(shared=bundle.shared, actions=settings.actions)
    if bundle.shared and settings.actions is None:
        yield Finding(
            "actions",
            "note",
            "this content is shared and the machine allows nothing: Wakil only observes",
            "list what may be done in the machine's settings: "
            "actions: {allow: [service.*], paths: [/var/log], commands: []}",
        )
    for refused in compile_charter(allowed, bundle.agents, where.data).refusals:
        yield Finding("actions", "note", refused.message)
    if os.geteuid() == 0 and settings.user and allowed.open:
        yield Finding(
            "actions",
            "note",
            "the hands are root's and their list is open: whoever took the server over could run "
            "anything as root",
            "list what may be done: actions: {allow: [service.*], paths: [/var/log], commands: []}",
        )
    if os.geteuid() == 0 and not settings.user:
        yield Finding(
            "rights",
            "note",
            "as root the server parses what strangers write with root's rights",
            "set server.user in the machine's settings: the hands keep root's rights alone",
        )
    elif os.geteuid() != 0:
        yield Finding(
            "rights",
            "note",
            "the hands have this user's rights: services of the system and files of others are "
            "out of reach",
            "start Wakil as root with server.user to let the hands reach them",
        )


def _data(where: Where) -> Finding:
    if not where.data.exists():
        return Finding("data", "note", f"{where.data} does not exist yet; the first start makes it")
    free = shutil.disk_usage(where.data).free
    if free < _LEAST_FREE:
        return Finding(
            "data",
            "wrong",
            f"{free >> 20} MiB are free in {where.data}",
            "make room, or choose another directory with --data",
        )
    if where.data.stat().st_mode & 0o077:
        return Finding(
            "data",
            "wrong",
            f"others may read {where.data}",
            f"chmod 700 {where.data}",
        )
    return Finding("data", "well", f"{where.data}: {free >> 30} GiB free")


def _server(where: Where) -> Finding:
    server = ServerFile.read(where.data)
    if server is None:
        return Finding("server", "note", "is not running", "wakil run")
    return Finding("server", "well", f"runs at {server.url} (process {server.pid})")


def _sqlite() -> Finding:
    found = sqlite3.sqlite_version
    if tuple(map(int, found.split("."))) < (3, 35, 0):
        return Finding("sqlite", "wrong", f"{found} is too old", "3.35 or newer is needed")
    return Finding("sqlite", "well", found)


def _systemd() -> Finding:
    if os.path.isdir("/run/systemd/system"):  # noqa: PTH112 - what systemd itself documents
        return Finding("systemd", "well", "runs this machine")
    return Finding(
        "systemd",
        "note",
        "does not run this machine: services can only be managed by pid file",
        "declare them with manager: pidfile in configs/agents.yaml",
    )
