"""A small true `System` for tests of the web: a real store, a fixed bundle, acts recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from engine.bus import Bus
from engine.core.decisions import Candidate, Verdict
from engine.core.errors import FactRefused, NotFound
from engine.core.facts import Fact, FactKind
from engine.core.runs import Run, Trigger
from engine.core.values import SECOND
from engine.lang.model import Bundle
from engine.playbook.approvals import answer
from engine.store.people import User
from engine.store.store import Store
from webui.app import create_app
from webui.auth import secrets
from webui.auth.secrets import hash_password
from webui.auth.tokens import issue_token
from webui.settings import WebSettings
from webui.system import AgentStatus, Automation, ContentStatus

# A real hash costs 64 MiB and a tenth of a second, which dozens of sign-ins need not pay.
secrets._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
START = 1_767_225_600 * SECOND
PASSWORD = "correct horse"
PASSWORD_HASH = hash_password(PASSWORD)


class TestClock:
    __test__ = False

    def __init__(self) -> None:
        self.at = START

    def now(self) -> int:
        return self.at


def kinds() -> dict[str, FactKind]:
    return {
        "cpu": FactKind("cpu", "state"),
        "disk": FactKind("disk", "state", key=("mount",)),
        "task": FactKind("task", "request", is_global=True),
    }


class FakeSystem:
    """Does what `webui.system.System` asks, with the store and a dictionary."""

    version = "0.1.0"

    def __init__(self, store: Store, root: Path, clock: Any = None) -> None:
        self.store = store
        self.clock = clock or TestClock()
        self.bus = Bus()
        self.started = START
        self.acts: list[tuple[str, Any]] = []
        self.state: tuple[str, Sequence[str]] = ("ok", ())
        self.facts: dict[tuple[str, str | None], Fact] = {}
        self.content_bundle = Bundle(str(root), "abc", kinds(), (), {}, {}, {})
        self.switch = Automation("auto", False)

    @property
    def host(self) -> str:
        return "web-1"

    def health(self):
        return self.state

    def bundle(self) -> Bundle:
        return self.content_bundle

    def content(self) -> ContentStatus:
        return ContentStatus(self.content_bundle.root, "abc", START)

    def accept(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            if fact.kind not in self.content_bundle.kinds:
                raise FactRefused(f"there is no fact kind '{fact.kind}'")
        stamped = [replace(fact, at=fact.at or self.clock.now()) for fact in facts]
        self.store.journal.append(stamped)
        for fact in stamped:
            self.facts[fact.kind, fact.host] = fact

    def latest(self, kind: str) -> Sequence[Fact]:
        return [fact for (name, _), fact in self.facts.items() if name == kind]

    def last_fact(self) -> int | None:
        return max((fact.at for fact in self.facts.values()), default=None)

    def last_seen(self):
        return {fact.host: fact.at for fact in self.facts.values() if fact.host}

    def consult(self, request: Fact) -> Verdict:
        self.acts.append(("consult", request))
        return Verdict(request, (), (Candidate("request").id,), {}, ())

    def upcoming(self, limit: int):
        return ()

    def destructive_actions(self) -> frozenset[str]:
        return frozenset({"process.terminate"})

    def plan_run(self, playbook, inputs, *, host=None):
        if playbook not in self.content_bundle.playbooks:
            raise NotFound(f"there is no playbook '{playbook}'")
        return {"playbook": playbook, "inputs": inputs, "steps": []}

    def start_run(self, playbook, inputs, *, by, host=None) -> Run:
        if playbook not in self.content_bundle.playbooks:
            raise NotFound(f"there is no playbook '{playbook}'")
        self.acts.append(("run", inputs))
        trigger = Trigger(requester=by.name)
        run = Run("r1", playbook, "queued", inputs, trigger, "abc", host, START)
        self.store.runs.add_run(run)
        return run

    def answer_approval(self, approval, answer_, *, by, digest, comment=""):
        self.acts.append(("answer", approval))
        return answer(
            self.store.runs,
            self.clock,
            approval,
            by=by.name,
            answer=answer_,
            digest=digest,
            comment=comment,
            role=by.role,
        )

    def acknowledge_alert(self, firing, *, by):
        return self.store.alerts.acknowledge(firing, by.name, self.clock.now())

    def automation(self) -> Automation:
        return self.switch

    def pause(self, *, by, reason=""):
        self.acts.append(("pause", reason))
        self.switch = Automation("auto", True, by.name, self.clock.now(), reason)
        return self.switch

    def resume(self, *, by):
        self.acts.append(("resume", None))
        self.switch = Automation("auto", False)
        return self.switch

    def agents(self):
        return [AgentStatus("logs", "Reads logs.", "running", SECOND, ("log",))]

    def _agent(self, agent: str, act: str):
        if agent != "logs":
            raise NotFound(f"there is no agent '{agent}'")
        self.acts.append((act, agent))
        return self.agents()[0]

    def start_agent(self, agent, *, by):
        return self._agent(agent, "start")

    def stop_agent(self, agent, *, by):
        return self._agent(agent, "stop")

    def restart_agent(self, agent, *, by):
        return self._agent(agent, "restart")


class Web:
    """An application over a fake system, with a user and a token of each role."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        self.store = Store.open(directory / "wakil.db")
        self.system = FakeSystem(self.store, directory)
        static = directory / "static"
        (static / "assets").mkdir(parents=True)
        (static / "index.html").write_text("<!doctype html><title>Wakil</title>")
        (static / "theme.js").write_text("// theme")
        (static / "assets" / "index-abc123.js").write_text("// panel")
        self.settings = WebSettings(static=static, **settings)
        self.app: Flask = create_app(self.system, self.settings)
        self.tokens = {
            role: issue_token(self.store, self.system.clock, f"ci-{role}", role, "user:root")
            for role in ("viewer", "operator", "admin")
        }

    def client(self, role: str | None = None) -> FlaskClient:
        """A client without cookies, bearing the role's token."""
        client = self.app.test_client()
        if role is not None:
            client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {self.tokens[role]}"
        return client

    def add_user(self, name: str, role: str) -> None:
        self.store.users.add(User(name, role, PASSWORD_HASH, START))

    def signed_in(self, role: str) -> tuple[FlaskClient, str]:
        """A client with a session of that role, and its CSRF token."""
        self.add_user(f"user-{role}", role)
        client = self.app.test_client()
        body = {"name": f"user-{role}", "password": PASSWORD}
        answered = client.post("/api/v1/session", json=body)
        assert answered.status_code == 200, answered.text
        return client, answered.json["csrf"]

    def close(self) -> None:
        self.store.close()
