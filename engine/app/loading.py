"""Content as this program loads it: with the actions and agents that it has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.app.actions import ACTIONS, AGENT_TYPES
from engine.app.places import SHIPPED
from engine.core.errors import LangError
from engine.lang.loader import Loaded, load_with_tests
from engine.lang.model import Bundle, Playbook
from engine.lang.playbooks import PlaybookReader
from engine.lang.reading import Language, Report
from engine.lang.yaml import parse


def load_bundle(root: Path, machine: Mapping[str, Any]) -> Bundle:
    """The bundle of a content directory. Raises LangError, ContentError."""
    return load_content(root, machine).bundle


def load_content(root: Path, machine: Mapping[str, Any]) -> Loaded:
    """The bundle and the cases of its rule sets. Raises LangError, ContentError."""
    return load_with_tests(
        root,
        actions=ACTIONS,
        agents=AGENT_TYPES,
        defaults=SHIPPED,
        machine=machine,
    )


def parse_playbook(name: str, source: str, bundle: Bundle) -> Playbook:
    """The text of a playbook, kept by a run whose content has moved on. Raises LangError."""
    report = Report()
    language = Language(report, frozenset(bundle.calendars))
    file = f"playbooks/{name}.yaml"
    reader = PlaybookReader(language, ACTIONS, bundle.kinds)
    playbook = reader.read(parse(source, file), file)
    if playbook is None or report.errors:
        raise LangError(report.problems)
    return playbook
