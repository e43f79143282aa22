"""Agents in the loop: built from content's settings, their collections turned into facts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from engine.act.authorise import Permissions, screen
from engine.app.expected import ExpectedHosts
from engine.app.intake import Intake
from engine.core.clock import Clock
from engine.core.errors import FactRefused, Refused
from engine.core.facts import Catalogue, Fact
from engine.core.ports import Agent, AgentContext, AgentType, Collection, Hands
from engine.core.values import SECOND, format_instant, parse_duration
from engine.lang.door import Door
from engine.lang.model import Bundle
from engine.loop import AgentStatus, Loop
from engine.store.store import Store

_log = logging.getLogger(__name__)
_PATIENCE = 30.0
"""Seconds that a collection waits for its facts to be judged."""


class Observing:
    """Puts the agents of a bundle into the loop, and what they see before the engine."""

    def __init__(
        self,
        types: Sequence[AgentType],
        intake: Intake,
        store: Store,
        hands: Hands,
        clock: Clock,
        host: str,
        on_state: Callable[[AgentStatus], None],
    ) -> None:
        self._types = {type_.id: type_ for type_ in types}
        self._intake = intake
        self._store = store
        self._hands = hands
        self._clock = clock
        self._host = host
        self._on_state = on_state
        self._settings: dict[str, Mapping[str, Any]] = {}
        self._kinds: Catalogue = {}
        self._door = Door({})
        self.refusals: tuple[Refused, ...] = ()
        self.loop = Loop(self._post, self._changed, clock)
        self._expected = ExpectedHosts(intake, clock, host)

    def take_up(self, bundle: Bundle, allowed: Permissions) -> None:
        """Agents whose settings are new or have changed are started anew; the rest go on."""
        self._kinds, self._door = bundle.kinds, Door(bundle.kinds)
        refusals: list[Refused] = []
        for type_ in self._types.values():
            given = bundle.agents.get(type_.id, {})
            settings, refused = screen(type_.settings, _filled(type_.settings, given), allowed)
            refusals.extend(refused)
            whole = {**settings, "every": _every(given, type_), "enabled": _enabled(given)}
            if self._settings.get(type_.id) != whole:
                self._settings[type_.id] = whole
                self._add(type_, settings, int(whole["every"]), bool(whole["enabled"]))
        self.refusals = tuple(refusals)
        for refusal in refusals:
            _log.warning("%s", refusal.message)
        self._expected.take_up(bundle)
        self.loop.set_schedules(
            [(each.name, each.cron) for each in bundle.schedules], bundle.timezone, self._ring
        )

    def type_of(self, agent: str) -> AgentType:
        return self._types[agent]

    def _add(self, type_: AgentType, settings: dict[str, Any], every: int, enabled: bool) -> None:
        settings.pop("every", None)
        settings.pop("enabled", None)
        context = AgentContext(settings, self._hands, self._clock, self._store.memory(type_.id))

        def build() -> Agent:
            return type_.build(context)

        self.loop.add(type_.id, build, type_.facts, every, enabled=enabled)

    # ── what agents see ───────────────────────────────────────────────────────────────────────

    def _post(self, agent: str, collection: Collection) -> None:
        """On the agent's thread: returns when its facts are on disk and judged."""
        now = self._clock.now()
        facts = list(self._facts(agent, collection, now))
        facts.extend(self._gone(collection, facts, now))
        if facts:
            self._intake.submit(facts).result(timeout=_PATIENCE)

    def _facts(self, agent: str, collection: Collection, now: int) -> Iterator[Fact]:
        for seen in collection.observations:
            at = now if seen.at is None else seen.at
            raw = {"kind": seen.kind, "at": format_instant(at), "data": dict(seen.data)}
            try:
                yield self._door.admit(raw, host_default=self._host, now=now)
            except FactRefused as error:
                _log.warning("a fact of agent %s was refused: %s", agent, error.message)

    def _gone(self, collection: Collection, facts: Sequence[Fact], now: int) -> list[Fact]:
        """What a complete collection does not list any more."""
        gone: list[Fact] = []
        for name in sorted(collection.complete):
            kind = self._kinds.get(name)
            if kind is None or not kind.complete:
                continue
            listed = {kind.subject(fact) for fact in facts if fact.kind == name}
            known = self._intake.call(lambda: list(self._intake.engine.facts(name, self._host)))  # noqa: B023 - called at once
            for fact in known:
                if kind.subject(fact) not in listed:
                    key = {field: fact.data.get(field) for field in kind.key}
                    gone.append(Fact(name, now, fact.host, key, gone=True))
        return gone

    def _changed(self, status: AgentStatus) -> None:
        data = {"id": status.id, "state": status.state}
        self._intake.submit([Fact("agent", self._clock.now(), self._host, data)])
        self._on_state(status)

    def _ring(self, name: str, due: int) -> None:
        self._intake.submit([Fact("schedule", due, None, {"name": name})])


def _filled(schema: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with the schema's defaults; nested items too."""
    filled = dict(given)
    for name, part in schema.get("properties", {}).items():
        if name not in filled and "default" in part:
            filled[name] = part["default"]
        elif name in filled:
            filled[name] = _filled_value(part, filled[name])
    return filled


def _filled_value(schema: Mapping[str, Any], value: Any) -> Any:
    if isinstance(value, Mapping):
        return _filled(schema, value)
    if isinstance(value, list | tuple):
        return [_filled_value(schema.get("items", {}), item) for item in value]
    return value


def _every(given: Mapping[str, Any], type_: AgentType) -> int:
    return parse_duration(given.get("every")) or type_.every or 5 * SECOND


def _enabled(given: Mapping[str, Any]) -> bool:
    return given.get("enabled") is not False
