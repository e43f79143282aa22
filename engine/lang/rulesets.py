"""Rule sets: from the trees of policy files to `model.RuleSet`, names unique, playbooks known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.core.facts import Catalogue
from engine.core.values import Json
from engine.lang.expression.suggest import did_you_mean
from engine.lang.expression.types import rule_names, variables_type
from engine.lang.model import HostEntry, Playbook, RuleSet
from engine.lang.playbook_inputs import check_run_inputs
from engine.lang.reading import Language, fields_of, flag_of, mappings_of, text_of
from engine.lang.rule_conditions import ConditionReader
from engine.lang.rule_decisions import RunUse
from engine.lang.rules import RuleReader
from engine.lang.yaml import Fields, Scalar, shorten, to_json


@dataclass(slots=True)
class RuleSetReader:
    """Reads rule sets whose structure was checked; `runs` gathers what starts playbooks."""

    language: Language
    kinds: Catalogue
    hosts: Sequence[HostEntry] = ()
    runs: list[RunUse] = field(default_factory=list)

    def read(self, node: Fields) -> RuleSet | None:
        """The rule set of one tree; None where it has no name. Problems are reported."""
        name = text_of(node, "name")
        if not name:
            return None
        variables = _vars(node)
        types = variables_type(variables, [entry.vars for entry in self.hosts])
        names = rule_names(self.kinds.values(), types)
        conditions = ConditionReader(self.language, self.kinds, names)
        enabled = flag_of(node, "enabled", True)
        reader = RuleReader(name, conditions, variables, self.runs, enabled)
        self._unique(node)
        first = text_of(node, "match") == "first"
        read = [reader.read(rule) for rule in mappings_of(node, "rules")]
        rules = tuple(rule for rule in read if rule is not None)
        for rule in rules if first else ():
            if rule.kind_mode == "state":
                message = (
                    f"'match: first' is for rules over events and requests; '{rule.name}' is over "
                    "a state"
                )
                self.language.report.error(rule.position, message, "conflict")
        return RuleSet(
            name=name,
            file=node.source.file,
            rules=rules,
            description=text_of(node, "description"),
            vars=variables,
            first_match=first,
            enabled=enabled,
        )

    def _unique(self, node: Fields) -> None:
        seen: dict[str, Scalar] = {}
        for rule in mappings_of(node, "rules"):
            name = rule.get("name")
            if not isinstance(name, Scalar) or not name.text:
                continue
            if name.text in seen:
                line = seen[name.text].position.line
                message = f"two rules are named '{shorten(name.text)}'; the first is in line {line}"
                self.language.report.error(name.position, message, "duplicate")
            else:
                seen[name.text] = name

    def check_runs(self, playbooks: Mapping[str, Playbook]) -> None:
        """Every playbook that a rule runs exists and takes the inputs it is given."""
        report = self.language.report
        for use in self.runs:
            playbook = playbooks.get(use.playbook.text)
            if playbook is None:
                hint = did_you_mean(use.playbook.text, playbooks)
                message = f"there is no playbook '{shorten(use.playbook.text)}'{hint}"
                report.error(use.playbook.position, message, "unknown-playbook")
            else:
                check_run_inputs(use.item, use.given, playbook, use.names, report)


def _vars(node: Fields) -> dict[str, Json]:
    found = fields_of(node, "vars")
    return {} if found is None else dict(to_json(found))
