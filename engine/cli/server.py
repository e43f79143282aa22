"""`wakil run`: everything in one command."""

from __future__ import annotations

import logging
import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import click

from engine.app.places import DataLock, DataLocked, ServerFile, make_private_directory
from engine.app.planted import refuse_planted, uid_of
from engine.cli.logs import OneLine
from engine.cli.options import place_options, resolve
from engine.core.values import SECOND

_PORT: Final = click.IntRange(0, 65535)


@click.command()
@click.option("--host", help="Address to listen on (WAKIL_HOST); 127.0.0.1 by default.")
@click.option("--port", type=_PORT, help="Port (WAKIL_PORT); 8000 by default, 0 takes a free one.")
@click.option("--database", metavar="URL", help="sqlite or postgresql://… (WAKIL_DATABASE).")
@click.option("--gateway-port", type=_PORT, hidden=True, help="For the gateway, once it is there.")
@click.option("--debug", is_flag=True, help="Say more in the log.")
@place_options
def run(
    host: str | None,
    port: int | None,
    database: str | None,
    gateway_port: int | None,
    debug: bool,
    **place: Any,
) -> None:
    """Start Wakil: panel, API, agents, rules, playbooks."""
    began = time.monotonic()
    os.umask(0o077)
    _log_to_terminal(debug)
    where = resolve(**place, make_data=False)
    if gateway_port is not None:
        click.echo("this version has no gateway: --gateway-port is kept for it", err=True)

    from engine.app.machine import read_machine
    from engine.lang.settings import settings_of
    from webui.server import serve

    machine = read_machine(where.content, where.data, where.config, database=database).load_early()
    settings = settings_of(machine.settings, machine.bundle().settings)
    for warning in (*machine.warnings, *machine.bundle().warnings):
        click.echo(f"warning: {warning}" if isinstance(warning, str) else str(warning), err=True)
    refuse_planted(machine.data, settings.user)
    make_private_directory(machine.data)
    _refuse_second(machine.data)
    if os.geteuid() == 0 and settings.user is None:
        click.echo(
            "As root without server.user, Wakil parses what strangers write with root's rights.",
            err=True,
        )
    server = _Server(machine, began)
    status = serve(
        server.make,
        host or settings.host,
        settings.port if port is None else port,
        on_ready=server.ready,
        on_stop=server.stop,
        worker_uid=uid_of(settings.user) if settings.user and os.geteuid() == 0 else None,
    )
    if status:
        raise click.exceptions.Exit(status)


def _refuse_second(data: Path) -> None:
    """At once where a Wakil serves with this data; one that is ending is waited for later.

    Raises DataLocked.
    """
    lock = DataLock(data)
    try:
        lock.take()
    except DataLocked:
        if serving := ServerFile.read(data):
            raise DataLocked(
                f"another Wakil (process {serving.pid}, {serving.url}) uses {data}; "
                "stop it or choose another directory with --data"
            ) from None
    else:
        lock.free()


def _log_to_terminal(debug: bool) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for noisy in ("httpx", "httpcore", "engineio", "socketio", "werkzeug", "alembic", "dbos"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if debug:
        logging.getLogger("engine").setLevel(logging.DEBUG)


class _Server:
    """What lives in the worker, between `make` and `stop`."""

    def __init__(self, machine: Any, began: float) -> None:
        self._machine = machine
        self._began = began
        self._made = began
        self._stack = ExitStack()
        self._wakil: Any = None
        self._token = ""

    def make(self, url: str) -> Any:
        """Builds everything, in the worker."""
        from engine.app.build import build
        from engine.app.web import build_web

        self._made = time.monotonic()
        lock = DataLock(self._machine.data)
        lock.take(patience=15 * SECOND)
        self._stack.callback(lock.free)
        try:
            self._wakil = self._stack.enter_context(build(self._machine))
            web = build_web(self._wakil)
        except BaseException:
            self._stack.close()
            raise
        self._token = web.token
        return web.app

    def ready(self, url: str, first: bool) -> None:
        """Requests are answered: say so, and let commands find us."""
        from webui.auth.setup import hand_out, offer_setup

        data = self._machine.data
        # The master's process: it is the one a person started, and it outlives a worker.
        ServerFile(url, os.getppid(), self._token).write(data)
        self._stack.callback(ServerFile.remove, data)
        seconds = time.monotonic() - (self._began if first else self._made)
        again = "" if first else "again "
        click.echo(
            f"Wakil is {again}ready at {url} (content {self._machine.content}, {seconds:.1f} s)"
        )
        base = self._wakil.parts.settings.public_url or url
        if link := offer_setup(self._wakil.store, self._wakil.clock, base):
            file = hand_out(link, sys.stdout, data / "setup-link")
            if file is not None:
                click.echo(f"The link to make the first admin (15 minutes) is in {file}")

    def stop(self) -> None:
        """Everything, last part first."""
        self._stack.close()
