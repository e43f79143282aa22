"""Wakil as the web and the command line see it: `webui.system.System` over its parts."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy.exc import SQLAlchemyError

from engine.act.authorise import Permissions
from engine.act.client import HandsClient
from engine.app.content import Content, ContentState
from engine.app.intake import Intake
from engine.app.observing import Observing
from engine.app.switch import Switch
from engine.bus import Bus
from engine.core.clock import Clock
from engine.core.cron import next_due
from engine.core.decisions import Verdict
from engine.core.errors import FactRefused, NotFound, StoreError
from engine.core.facts import Fact
from engine.core.ports import ActionType
from engine.core.runs import Approval, Run, Trigger
from engine.core.values import Json, format_instant
from engine.lang.door import Door
from engine.lang.model import Bundle
from engine.lang.settings import Settings
from engine.loop import AgentStatus as LoopStatus
from engine.playbook.runner import Runner
from engine.policy.dispatch import Dispatcher
from engine.store.alerts import Alert
from engine.store.store import Store
from webui.system import AgentStatus, Automation, ContentStatus, Identity, Upcoming


@dataclass(slots=True)
class Parts:
    """What the composition root built, in one hand."""

    settings: Settings
    content: Content
    store: Store
    hands: HandsClient
    intake: Intake
    dispatcher: Dispatcher
    runner: Runner
    observing: Observing
    switch: Switch
    actions: Mapping[str, ActionType]
    bus: Bus
    clock: Clock
    host: str
    version: str
    watching: bool
    allowed: Permissions
    warnings: tuple[str, ...] = ()


class Wakil:
    """Implements `webui.system.System`; every method may be called from any thread."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.version = parts.version
        self.started = parts.clock.now()
        self.clock = parts.clock
        self.bus = parts.bus
        self.store = parts.store
        self._door: tuple[Bundle, Door] | None = None

    @property
    def host(self) -> str:
        return self.parts.host

    def health(self) -> tuple[Literal["ok", "starting", "failing"], Sequence[str]]:
        """Whether facts are judged, acts are possible and the database answers."""
        reasons = []
        if not self.parts.intake.alive:
            reasons.append("engine-stopped")
        if not self.parts.hands.ready:
            reasons.append("hands")
        try:
            self.store.settings.get("host_name")
        except (StoreError, SQLAlchemyError):
            reasons.append("database")
        return ("failing" if reasons else "ok"), reasons

    def bundle(self) -> Bundle:
        return self.parts.content.bundle()

    def content(self) -> ContentStatus:
        return content_status(self.parts.content.state)

    def destructive_actions(self) -> frozenset[str]:
        """Names of actions that may destroy what cannot be brought back."""
        return frozenset(name for name, action in self.parts.actions.items() if action.destructive)

    # ── facts ─────────────────────────────────────────────────────────────────────────────────

    def accept(self, facts: Sequence[Fact]) -> None:
        """All or none; returns when they are on disk and judged. Raises `FactRefused`."""
        now, bundle = self.clock.now(), self.bundle()
        door, admitted = self._door_of(bundle), []
        for place, fact in enumerate(facts):
            try:
                admitted.append(door.admit(_raw(fact), host_default=self.host, now=now))
                if bundle.kinds[fact.kind].mode == "request":
                    raise FactRefused(
                        f"{fact.kind} is a request: it is put to the rules with "
                        f"POST /api/v1/consult/{fact.kind}"
                    )
            except FactRefused as error:
                where = f"fact {place + 1} of {len(facts)}: " if len(facts) > 1 else ""
                raise FactRefused(where + error.message) from None
        self.parts.intake.submit(admitted).result(timeout=30)

    def _door_of(self, bundle: Bundle) -> Door:
        """One door as long as a bundle is in force: making one compiles every kind's checks."""
        known = self._door
        if known is None or known[0] is not bundle:
            known = self._door = (bundle, Door(bundle.kinds))
        return known[1]

    def latest(self, kind: str) -> Sequence[Fact]:
        return self.parts.intake.call(lambda: list(self.parts.intake.engine.facts(kind)))

    def last_fact(self) -> int | None:
        return self.parts.intake.last_fact

    def last_seen(self) -> Mapping[str, int]:
        return dict(self.parts.intake.hosts_seen)

    def consult(self, request: Fact) -> Verdict:
        """Puts a request to the rules and records the verdict. Raises `FactRefused`."""
        now = self.clock.now()
        raw = {"kind": request.kind, "data": dict(request.data)}
        admitted = self._door_of(self.bundle()).admit(raw, now=now)
        return self.parts.intake.consult(admitted)

    def upcoming(self, limit: int) -> Sequence[Upcoming]:
        """The engine's deadlines, schedules and lapsing approvals, soonest first."""
        found = [*self._deadlines(limit), *self._schedules(), *self._lapses(limit)]
        return sorted(found, key=lambda each: each.at)[:limit]

    def _deadlines(self, limit: int) -> list[Upcoming]:
        engine = self.parts.intake.engine
        found = []
        for due in self.parts.intake.call(lambda: list(engine.upcoming(limit))):
            if due.type == "stale":
                continue
            ruleset, _, rule = due.rule.partition("/")
            more: dict[str, Json] = {}
            if due.since is not None:
                more["since"] = format_instant(due.since)
            if playbook := self._playbook_of(due.rule):
                more["playbook"] = playbook
            found.append(Upcoming(due.at, due.type, rule, ruleset, due.key, more))
        return found

    def _playbook_of(self, rule: str) -> str | None:
        for each in self.bundle().rules:
            if each.id == rule:
                return next((spec.playbook for spec in each.then if spec.playbook), None)
        return None

    def _schedules(self) -> list[Upcoming]:
        bundle, now = self.bundle(), self.clock.now()
        return [
            Upcoming(
                next_due(each.cron, now, bundle.timezone), "schedule", more={"name": each.name}
            )
            for each in bundle.schedules
        ]

    def _lapses(self, limit: int) -> list[Upcoming]:
        waiting = self.store.runs.list_approvals(status="waiting", limit=100).items
        soonest = sorted(
            ((each.expires, each) for each in waiting if each.expires is not None),
            key=lambda found: found[0],
        )
        return [self._lapse(at, approval) for at, approval in soonest[:limit]]

    def _lapse(self, at: int, approval: Approval) -> Upcoming:
        more: dict[str, Json] = {
            "approval": approval.id,
            "run": approval.run,
            "since": format_instant(approval.created),
        }
        if run := self.store.runs.get_run(approval.run):
            more["playbook"] = run.playbook
        return Upcoming(at, "lapses", more=more)

    # ── acts ──────────────────────────────────────────────────────────────────────────────────

    def start_run(
        self,
        playbook: str,
        inputs: Mapping[str, Any],
        *,
        by: Identity,
        host: str | None = None,
    ) -> Run:
        """Raises `NotFound` for no such playbook, `InvalidInputs` for wrong inputs."""
        bundle = self.bundle()
        if playbook not in bundle.playbooks:
            raise NotFound(f"there is no playbook {playbook[:80]!r}")
        run = Run(
            id="r_" + secrets.token_hex(6),
            playbook=playbook,
            status="queued",
            inputs=dict(inputs),
            trigger=Trigger(requester=by.name),
            commit=bundle.commit,
            host=host or self.host,
            created=self.clock.now(),
        )
        started = self.parts.runner.start(run)
        self._audit(by, "run.start", started.id, {"playbook": playbook})
        return started

    def plan_run(
        self, playbook: str, inputs: Mapping[str, Any], *, host: str | None = None
    ) -> dict[str, Any]:
        """What a run would do now; nothing is done or recorded."""
        bundle = self.bundle()
        return self.parts.runner.dry_run(bundle.commit, playbook, inputs, host=host or self.host)

    def answer_approval(
        self,
        approval: str,
        answer: Literal["approve", "reject"],
        *,
        by: Identity,
        digest: str,
        comment: str = "",
    ) -> Approval:
        answered = self.parts.runner.answer(
            approval, by=by.name, answer=answer, digest=digest, comment=comment, role=by.role
        )
        self._audit(by, f"approval.{answer}", approval, {"comment": comment, "digest": digest})
        return answered

    def acknowledge_alert(self, firing: str, *, by: Identity) -> Alert:
        alert = self.store.alerts.acknowledge(firing, by.name, self.clock.now())
        self._audit(by, "alert.acknowledge", firing, {})
        self.bus.publish("alert", alert)
        return alert

    def automation(self) -> Automation:
        state = self.parts.switch.state()
        mode = self.parts.settings.mode
        if state is None:
            return Automation(mode, paused=False)
        return Automation(
            mode, paused=True, by=state.get("by"), at=state.get("at"), reason=state.get("reason")
        )

    def pause(self, *, by: Identity, reason: str = "") -> Automation:
        self.parts.switch.pause(by.name, reason)
        return self._switched(by, "automation.pause", reason)

    def resume(self, *, by: Identity) -> Automation:
        self.parts.switch.resume()
        return self._switched(by, "automation.resume", "")

    def _switched(self, by: Identity, action: str, reason: str) -> Automation:
        self._audit(by, action, "automation", {"reason": reason})
        state = self.automation()
        self.bus.publish("automation", state)
        return state

    # ── agents ────────────────────────────────────────────────────────────────────────────────

    def agents(self) -> Sequence[AgentStatus]:
        return [self.agent_status(status) for status in self.parts.observing.loop.status()]

    def start_agent(self, agent: str, *, by: Identity) -> AgentStatus:
        return self._steer_agent(agent, "start", by)

    def stop_agent(self, agent: str, *, by: Identity) -> AgentStatus:
        return self._steer_agent(agent, "stop", by)

    def restart_agent(self, agent: str, *, by: Identity) -> AgentStatus:
        return self._steer_agent(agent, "restart", by)

    def _steer_agent(
        self, agent: str, word: Literal["start", "stop", "restart"], by: Identity
    ) -> AgentStatus:
        loop = self.parts.observing.loop
        acts = {
            "start": loop.start_agent,
            "stop": loop.stop_agent,
            "restart": loop.restart_agent,
        }
        acts[word](agent)
        self._audit(by, f"agent.{word}", agent, {})
        return self.agent_status(loop.status_of(agent))

    def agent_status(self, status: LoopStatus) -> AgentStatus:
        """The loop's word on an agent, as the API shows it."""
        return AgentStatus(
            id=status.id,
            description=self.parts.observing.type_of(status.id).description,
            state=status.state,
            every=status.every,
            facts=status.facts,
            last_collect=status.last_collect,
            next_collect=status.next_collect,
            last_error=status.last_error,
            failures=status.failures,
        )

    def _audit(self, by: Identity, action: str, target: str, detail: dict[str, Json]) -> None:
        self.store.audit.append(self.clock.now(), by.name, action, target, detail)


def content_status(state: ContentState) -> ContentStatus:
    """What runs and what is wrong, as the API shows it."""
    return ContentStatus(
        root=state.bundle.root,
        commit=state.bundle.commit,
        loaded_at=state.loaded_at,
        problems=state.problems,
        warnings=state.bundle.warnings,
    )


def _raw(fact: Fact) -> dict[str, Any]:
    """A fact as the door reads it; `at` 0 means now."""
    raw: dict[str, Any] = {"kind": fact.kind, "data": fact.data}
    if fact.gone is not False:
        raw["gone"] = fact.gone
    if fact.at:
        raw["at"] = format_instant(fact.at)
    if fact.host is not None:
        raw["host"] = fact.host
    return raw
