"""Content as runs need it: the text of a playbook at the commit a run began under."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.core.errors import NotFound
from engine.core.values import Json
from engine.lang.model import Bundle, Playbook

Parse = Callable[[str, str, Bundle], Playbook]
"""(playbook's name, its text, bundle) to the playbook; raises LangError."""


@dataclass(frozen=True, slots=True)
class BundlePlans:
    """Answers from the bundle in force (`engine.playbook.environment.Plans`).

    A run that was recorded but not yet begun when its commit was replaced begins under the new
    one: from then on it keeps its own copy of the text.
    """

    bundle: Callable[[], Bundle]
    parse_playbook: Parse

    def source(self, commit: str, playbook: str) -> str:
        """A playbook's text. Error: `NotFound`, naming those that exist."""
        bundle = self.bundle()
        found = bundle.playbooks.get(playbook)
        if found is None:
            known = ", ".join(sorted(bundle.playbooks)) or "none"
            raise NotFound(f"there is no playbook '{playbook}'; there are: {known}")
        return bundle.sources[found.file]

    def parse(self, playbook: str, source: str) -> Playbook:
        """That text as a playbook. Error: `LangError`."""
        bundle = self.bundle()
        found = bundle.playbooks.get(playbook)
        if found is not None and bundle.sources.get(found.file) == source:
            return found
        return self.parse_playbook(playbook, source, bundle)

    def labels(self, host: str | None) -> Mapping[str, str]:
        return self.bundle().labels_of(host)

    def vars(self, host: str | None) -> Mapping[str, Json]:
        return self.bundle().vars_of(host)
