"""Runs as DBOS workflows: the one place that knows DBOS.

What DBOS does for us: it remembers which steps of a run have finished, and begins every
unfinished run again when Wakil starts. What we see to: JSON only (whatever a row claims to be,
nothing pickled is ever read), a fixed application version (else a run whose code changed stays
pending), no admin server, no telemetry, no cloud.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn, cast

os.environ.pop("DBOS__CLOUD", None)  # read when dbos is imported: it would connect to its cloud

from dbos import DBOS, SetWorkflowID
from dbos._error import DBOSWorkflowCancelledError, DBOSWorkflowConflictIDError
from dbos._serialization import DefaultSerializer, Serializer
from sqlalchemy import make_url

from engine.core.errors import StoreError, WakilError
from engine.core.values import Json
from engine.playbook.environment import Interrupted

APPLICATION_VERSION = "wakil-1"
"""Bound into every stored run: change it and all unfinished runs are orphaned."""

HELD = "wakil_held"
"""A queue nobody listens to: what stands there keeps its input and holds no thread."""

_ERROR = "$error"
_SWEEP_SECONDS = 600

Body = Callable[[str, Mapping[str, Any]], str]
_body: Body | None = None


def forbid_pickle() -> None:
    """Makes DBOS's default serializer refuse to read, and write JSON.

    DBOS obeys each row's own `serialization` column, so configuring JSON is not enough: a row
    marked `py_pickle` would be unpickled, and run code. It must still write, or DBOS could not
    record such a row's failure.
    """

    def refuse(self: DefaultSerializer, serialized_data: str) -> NoReturn:
        raise StoreError("a stored run claims to be pickled; only JSON is read, so it is refused")

    def serialize(self: DefaultSerializer, data: Any) -> str:
        return JsonSerializer().serialize(data)

    setattr(DefaultSerializer, "deserialize", refuse)  # noqa: B010 - the type forbids assigning
    setattr(DefaultSerializer, "serialize", serialize)  # noqa: B010


class JsonSerializer(Serializer):
    """JSON and nothing else; an exception is kept as its sentence."""

    def name(self) -> str:
        return "wakil_json"

    def serialize(self, data: Any) -> str:
        if isinstance(data, BaseException):
            data = {_ERROR: str(data)}
        return json.dumps(data, separators=(",", ":"), allow_nan=False)

    def deserialize(cls, serialized_data: str) -> Any:  # noqa: N805 - named so by the base class
        data = json.loads(serialized_data)
        if isinstance(data, dict) and data.keys() == {_ERROR}:
            return WakilError(str(data[_ERROR]))
        return data


@DBOS.workflow(name="wakil.run", max_recovery_attempts=None)
def _workflow(run: str, frozen: dict[str, Any]) -> str:
    if _body is None:
        raise StoreError("a run began before its engine was there")
    return _body(run, frozen)


class Workflows:
    """DBOS, launched once in this process. `database_url` as SQLAlchemy writes it."""

    def __init__(self, database_url: str, body: Body, executor: str = "local") -> None:
        self._url = database_url
        self._body = body
        self._executor = executor
        self._next_sweep = 0.0

    def launch(self) -> None:
        """Opens the database and begins every unfinished run of this node again."""
        global _body
        _body = self._body
        forbid_pickle()
        _prepare_file(self._url)
        logging.getLogger("dbos").addHandler(logging.NullHandler())  # else DBOS adds a console
        logging.getLogger("dbos").propagate = True
        DBOS(
            config={
                "name": "wakil",
                "system_database_url": self._url,
                "run_admin_server": False,
                "enable_otlp": False,
                "application_version": APPLICATION_VERSION,
                "executor_id": self._executor,
                "log_level": "ERROR",
                "serializer": JsonSerializer(),
            }  # type: ignore[typeddict-unknown-key]
        )
        DBOS.launch()

    def begin(self, run: str, frozen: Mapping[str, Any]) -> None:
        """Starts a run now; does nothing where it has begun or ended."""
        with SetWorkflowID(run):
            DBOS.start_workflow(_workflow, run, dict(frozen))

    def hold(self, run: str, frozen: Mapping[str, Any]) -> None:
        """Records a run with all it needs, to be released later."""
        with SetWorkflowID(run):
            DBOS.enqueue_workflow(HELD, _workflow, run, dict(frozen))

    def release(self, run: str) -> None:
        """Lets a held run begin."""
        DBOS.resume_workflow(run)

    def frozen(self, run: str) -> Mapping[str, Any] | None:
        """What a run was recorded with; None where that cannot be read."""
        for status in DBOS.list_workflows(workflow_ids=[run], load_output=False):
            arguments = status.input["args"] if isinstance(status.input, dict) else ()
            if len(arguments) == 2 and isinstance(arguments[1], dict):
                return cast(Mapping[str, Any], arguments[1])
        return None

    def sweep(self) -> None:
        """Every so often deletes what DBOS remembers of runs that ended long ago: their records
        are in the store, and step results should not lie about."""
        if time.monotonic() < self._next_sweep:
            return
        self._next_sweep = time.monotonic() + _SWEEP_SECONDS
        before = datetime.now(UTC) - timedelta(seconds=_SWEEP_SECONDS)
        ended = DBOS.list_workflows(
            status=["SUCCESS", "ERROR"],
            completed_before=before.isoformat(),
            limit=1_000,
            load_input=False,
            load_output=False,
        )
        if ended:
            self.forget([status.workflow_id for status in ended])

    def forget(self, runs: list[str]) -> None:
        """Deletes what DBOS remembers of ended runs."""
        DBOS.delete_workflows(runs)

    def states(self, runs: list[str]) -> dict[str, str]:
        """`held`, `active` or `ended` for each of these runs that DBOS knows."""
        if not runs:
            return {}
        known = DBOS.list_workflows(workflow_ids=runs, load_input=False, load_output=False)
        return {status.workflow_id: _state(status.status, status.queue_name) for status in known}

    def shutdown(self) -> None:
        """Stops beginning runs; what is unfinished begins again at the next launch."""
        global _body
        DBOS.destroy()
        _body = None


def once(name: str, act: Callable[[], Json]) -> Json:
    """Does `act` in the workflow of this thread, or gives what it gave before Wakil died."""
    try:
        return DBOS.run_step({"name": name}, act)
    except (DBOSWorkflowConflictIDError, DBOSWorkflowCancelledError) as error:
        raise Interrupted from error  # another process owns the run by now


def _state(status: str, queue: str | None) -> str:
    if status in ("PENDING", "DELAYED"):
        return "active"
    if status == "ENQUEUED":
        return "held" if queue == HELD else "active"
    return "ended"


def _prepare_file(database_url: str) -> None:
    """Creates an SQLite file that only its owner reads, in WAL mode."""
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return
    path = Path(str(url.database))
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    os.close(descriptor)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
