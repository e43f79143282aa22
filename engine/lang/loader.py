"""Turns a content directory into one immutable `Bundle`, or says everything that is wrong with it.

With `content.defaults: true` the directory lies over the shipped content: a rule set, a playbook
and an agent's settings replace those of their name, `override` changes single rules, and a file of
configs/ that the directory lacks is the shipped one. Without, only the shipped guard lies beneath.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from engine.core.errors import LangError, Position
from engine.core.ports import ActionType, AgentType
from engine.lang.agent_settings import read_agents
from engine.lang.calendars import read_calendar
from engine.lang.content_files import ContentFile, ContentFiles, read_files
from engine.lang.expression.suggest import did_you_mean, one_of
from engine.lang.hosts import read_hosts
from engine.lang.layers import Layer, Layers, is_shared, over_shipped
from engine.lang.model import Bundle, Calendar, HostEntry, Playbook, RuleSet, Schedule
from engine.lang.overrides import apply_overrides, overrides_of
from engine.lang.own_kinds import read_own_kinds
from engine.lang.playbooks import PlaybookReader
from engine.lang.reading import Language, Report, text_of
from engine.lang.revision import revision
from engine.lang.rulesets import RuleSetReader
from engine.lang.ruletests import RuleTest, check_names, read_ruletest
from engine.lang.schema import check_shape
from engine.lang.settings import MACHINE_FILE, merge, read_settings
from engine.lang.yaml import Fields, Node, Scalar, parse_partly, shorten

_LATER: Final = ("models", "notifications")
_CONFIGS: Final = ("wakil", "agents", *_LATER, "hosts", "calendar")
_GUARD: Final = "policies/guard.yaml"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A bundle and the cases of its rule sets."""

    bundle: Bundle
    tests: tuple[RuleTest, ...]


def load(
    root: Path,
    *,
    actions: Mapping[str, ActionType],
    agents: Mapping[str, AgentType],
    defaults: Path | None = None,
    machine: Mapping[str, Any] | None = None,
    machine_file: str = MACHINE_FILE,
    shared: bool | None = None,
) -> Bundle:
    """The bundle of a content directory.

    `actions` and `agents` are what exists, by name; `defaults` the shipped content; `machine` the
    machine's settings as checked; `shared` says whether others may push to the directory (None:
    whether a file in it belongs to another user). Raises LangError with all problems of all
    files, ContentError where the directory cannot be used.
    """
    return load_with_tests(
        root,
        actions=actions,
        agents=agents,
        defaults=defaults,
        machine=machine,
        machine_file=machine_file,
        shared=shared,
    ).bundle


def load_with_tests(
    root: Path,
    *,
    actions: Mapping[str, ActionType],
    agents: Mapping[str, AgentType],
    defaults: Path | None = None,
    machine: Mapping[str, Any] | None = None,
    machine_file: str = MACHINE_FILE,
    shared: bool | None = None,
) -> Loaded:
    """As `load`, with the cases in policies/tests/, which are checked in any case."""
    content = read_files(root)
    others_may_write = is_shared(content) if shared is None else shared
    loader = _Loader(content, actions, agents, machine or {}, machine_file, others_may_write)
    loaded = loader.load(defaults)
    if loader.report.errors:
        raise LangError(loader.report.problems)
    return loaded


class _Loader:
    def __init__(
        self,
        content: ContentFiles,
        actions: Mapping[str, ActionType],
        agents: Mapping[str, AgentType],
        machine: Mapping[str, Any],
        machine_file: str,
        shared: bool,
    ) -> None:
        self.report = Report()
        self._content = content
        self._actions = actions
        self._agents = agents
        self._machine = machine
        self._machine_file = machine_file
        self._shared = shared
        self._sources: dict[str, str] = {}
        self._trees: dict[str, Node | None] = {}

    def load(self, defaults: Path | None) -> Loaded:
        self.report.extend(self._content.problems)
        settings = self._settings()
        layers = self._layers(settings, defaults)
        kinds = read_own_kinds(
            [(file, self._tree(file)) for file in layers.under("schema/facts")], self.report
        )
        hosts = self._hosts(layers)
        calendars, schedules = self._calendar(layers)
        language = Language(self.report, frozenset(calendars))
        playbooks = self._playbooks(layers, PlaybookReader(language, self._actions, kinds))
        rulesets = self._rulesets(layers, RuleSetReader(language, kinds, hosts), playbooks)
        tests = self._tests(kinds, rulesets)
        effective = merge(settings, self._machine)
        bundle = Bundle(
            root=str(self._content.root),
            commit=revision(self._content.root, self._content.files),
            kinds=kinds,
            rulesets=rulesets,
            playbooks=playbooks,
            settings=settings,
            agents=self._agent_settings(layers),
            hosts=hosts,
            schedules=schedules,
            calendars=calendars,
            timezone=str(effective.get("timezone", "UTC")),
            shared=self._shared,
            sources=self._sources,
        )
        self._later_files()
        warnings = tuple(sorted(set(self.report.warnings)))
        return Loaded(replace(bundle, warnings=warnings), tests)

    # ── files ─────────────────────────────────────────────────────────────────────────────────

    def _tree(self, file: ContentFile) -> Node | None:
        if file.name not in self._trees:
            node, problems = parse_partly(file.data, file.name)
            self.report.extend(problems)
            if node is not None:
                self._sources[file.name] = node.source.text
            self._trees[file.name] = node
        return self._trees[file.name]

    def _settings(self) -> dict[str, Any]:
        file = self._content.config("wakil")
        node = None if file is None else self._tree(file)
        if node is None:
            return {}
        return read_settings(
            node, self.report, shared=self._shared, machine_file=self._machine_file
        )

    def _layers(self, settings: Mapping[str, Any], defaults: Path | None) -> Layers:
        wanted = merge(settings, self._machine).get("content")
        if isinstance(wanted, dict):
            wanted = wanted.get("defaults")
        if defaults is None or defaults.samefile(self._content.root):
            return Layers(Layer(self._content.files), None)
        shipped = read_files(defaults)
        self.report.extend(shipped.problems)
        files = shipped.files if wanted is True else _always(shipped.files)
        return over_shipped(self._content, files)

    def _agent_settings(self, layers: Layers) -> dict[str, Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        for file in layers.configs("agents"):
            node = self._tree(file)
            if node is not None and not _is_empty(node):
                found.update(read_agents(node, self._agents, self.report))
        return found

    def _hosts(self, layers: Layers) -> tuple[HostEntry, ...]:
        for file in reversed(layers.configs("hosts")):
            node = self._tree(file)
            return () if node is None or _is_empty(node) else read_hosts(node, self.report)
        return ()

    def _calendar(self, layers: Layers) -> tuple[dict[str, Calendar], tuple[Schedule, ...]]:
        for file in reversed(layers.configs("calendar")):
            node = self._tree(file)
            return ({}, ()) if node is None or _is_empty(node) else read_calendar(node, self.report)
        return {}, ()

    def _later_files(self) -> None:
        for name in _LATER:
            file = self._content.config(name)
            if file is not None:
                message = "this version does not read this file yet"
                self.report.warn(Position(file.name), message, "later")
        for file in self._content.under("configs"):
            if file.stem not in _CONFIGS:
                hint = did_you_mean(file.stem, _CONFIGS) or f"; known here: {one_of(_CONFIGS, 9)}"
                self.report.warn(Position(file.name), f"is not read{hint}", "file")

    # ── rule sets, playbooks, cases ───────────────────────────────────────────────────────────

    def _playbooks(self, layers: Layers, reader: PlaybookReader) -> dict[str, Playbook]:
        found: dict[str, Playbook] = {}
        for file in self._chosen(layers, "playbooks", "playbook"):
            node = self._trees[file.name]
            playbook = None if node is None else reader.read(node, file.name)
            if playbook is not None:
                found[playbook.name] = playbook
        return found

    def _rulesets(
        self, layers: Layers, reader: RuleSetReader, playbooks: Mapping[str, Playbook]
    ) -> tuple[RuleSet, ...]:
        trees: list[Fields] = []
        overrides = []
        for file in self._chosen(layers, "policies", "rule set"):
            node = self._trees[file.name]
            if node is None:
                continue
            self.report.extend(check_shape(node, "ruleset"))
            overrides.extend(overrides_of(node))
            if isinstance(node, Fields) and text_of(node, "name"):
                trees.append(node)
        changed = apply_overrides(trees, overrides, self.report)
        read = [reader.read(tree) for tree in changed]
        reader.check_runs(playbooks)
        return tuple(ruleset for ruleset in read if ruleset is not None)

    def _chosen(self, layers: Layers, folder: str, what: str) -> list[ContentFile]:
        """The files of both layers, one for each name; two of one name in a layer are a problem."""
        chosen: dict[str, ContentFile] = {}
        for layer in layers.bottom_up:
            seen: dict[str, Scalar] = {}
            for file in layer.under(folder):
                node = self._tree(file)
                name = node.get("name") if isinstance(node, Fields) else None
                if not isinstance(name, Scalar) or not name.text:
                    chosen[file.name] = file
                    continue
                if name.text in seen:
                    first = seen[name.text].position
                    message = (
                        f"two {what}s are named '{shorten(name.text)}'; the first is in "
                        f"{first.file}:{first.line}"
                    )
                    self.report.error(name.position, message, "duplicate")
                    continue
                seen[name.text] = name
                chosen[f"={name.text}"] = file
        return sorted(chosen.values(), key=lambda file: (file.name.rsplit("/", 1)[-1], file.name))

    def _tests(
        self, kinds: Mapping[str, Any], rulesets: tuple[RuleSet, ...]
    ) -> tuple[RuleTest, ...]:
        by_name = {ruleset.name: ruleset for ruleset in rulesets}
        broken = bool(self.report.errors)
        found: list[RuleTest] = []
        for file in self._content.files:
            if not file.name.startswith("policies/tests/"):
                continue
            node, problems = parse_partly(file.data, file.name)
            self.report.extend(problems)
            test = None if node is None else read_ruletest(node, kinds, self.report)
            if test is None:
                continue
            if not broken:  # a rule that cannot be read would be missing here once more
                check_names(test, by_name, self.report)
            found.append(test)
        return tuple(found)


def _always(shipped: tuple[ContentFile, ...]) -> tuple[ContentFile, ...]:
    """The guard stands without `content.defaults` too: docs/decisions/0003."""
    return tuple(file for file in shipped if file.name == _GUARD)


def _is_empty(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None
