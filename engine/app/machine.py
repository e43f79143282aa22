"""What this machine and its command line decide, before anything is built."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.app.content import Signature, signature
from engine.app.loading import load_bundle
from engine.app.planted import refuse_planted, refuse_planted_content
from engine.lang.model import Bundle
from engine.lang.settings import Settings, read_machine_settings


@dataclass(frozen=True, slots=True)
class Machine:
    """What this machine and its command line decide."""

    content: Path
    data: Path
    settings: Mapping[str, Any]
    database: str | None = None
    warnings: tuple[str, ...] = ()
    loaded: tuple[Signature, Bundle] | None = None
    """A bundle loaded before the fork, and what its files looked like then."""

    def bundle(self) -> Bundle:
        """The content as it is now. Raises LangError, ContentError."""
        if self.loaded is not None and self.loaded[0] == signature(self.content):
            return self.loaded[1]
        return load_bundle(self.content, self.settings)

    def store_at(self, settings: Settings) -> str | Path:
        """The database: a file in the data directory, or the URL that was named."""
        named = self.database or settings.database
        return self.data / "wakil.db" if named == "sqlite" else named

    def runs_at(self, settings: Settings) -> str:
        """DBOS keeps its own tables: a file of its own, or a schema of its own in PostgreSQL."""
        store = self.store_at(settings)
        return f"sqlite:///{self.data / 'runs.db'}" if isinstance(store, Path) else store

    def load_early(self) -> Machine:
        """This with its content loaded."""
        files = signature(self.content)
        return replace(self, loaded=(files, load_bundle(self.content, self.settings)))


def read_machine(
    content: Path, data: Path, config: Path | None, *, database: str | None = None
) -> Machine:
    """Reads the machine's settings. Raises SettingsError, ContentError."""
    if config is not None:
        refuse_planted(config)
    settings, warnings = read_machine_settings(config, os.environ)
    refuse_planted_content(content)
    return Machine(content, data, settings, database, tuple(warnings))
