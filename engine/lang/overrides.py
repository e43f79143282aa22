"""`override:` in a policy file: changes to rule sets and rules, made on the tree before reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.lang.expression.suggest import did_you_mean
from engine.lang.reading import Report, fields_of, mappings_of, text_of
from engine.lang.yaml import Fields, Items, Node, Scalar, shorten

_MERGED = frozenset({"vars", "labels"})
"""Keys of which an override changes single members."""


@dataclass(frozen=True, slots=True)
class Override:
    """One entry: `SET` or `SET/RULE`, and the keys it puts in place."""

    target: Scalar
    changes: Fields


def overrides_of(node: Node) -> list[Override]:
    """The entries of a policy file."""
    found = fields_of(node, "override") if isinstance(node, Fields) else None
    return [
        Override(target, changes)
        for target, changes in (found.entries if found is not None else ())
        if isinstance(changes, Fields)
    ]


def apply_overrides(
    rulesets: Sequence[Fields], overrides: Sequence[Override], report: Report
) -> list[Fields]:
    """The rule sets' trees with all changes made; an entry that names nothing is a problem."""
    named = {text_of(node, "name"): node for node in rulesets}
    for override in overrides:
        set_name, _, rule_name = override.target.text.partition("/")
        ruleset = named.get(set_name)
        if ruleset is None:
            hint = did_you_mean(set_name, named)
            message = f"there is no rule set '{shorten(set_name)}' to override{hint}"
            report.error(override.target.position, message, "unknown-ruleset")
        elif not rule_name:
            _warn_of_new_variables(ruleset, override.changes, report)
            named[set_name] = merged(ruleset, override.changes)
        else:
            named[set_name] = _in_rule(ruleset, rule_name, override, report)
    return [named.get(text_of(node, "name"), node) for node in rulesets]


def _warn_of_new_variables(ruleset: Fields, changes: Fields, report: Report) -> None:
    """A variable that the rule set does not have is read by no rule of it: most likely a slip."""
    known, given = fields_of(ruleset, "vars"), fields_of(changes, "vars")
    names = {key.text for key, _ in known.entries} if known is not None else set()
    for key, _ in given.entries if given is not None else ():
        if key.text not in names:
            hint = did_you_mean(key.text, names)
            name = text_of(ruleset, "name")
            message = f"rule set '{name}' has no variable '{shorten(key.text)}'{hint}"
            report.warn(key.position, message, "unknown-variable")


def _in_rule(ruleset: Fields, name: str, override: Override, report: Report) -> Fields:
    rules = [text_of(rule, "name") for rule in mappings_of(ruleset, "rules")]
    if name not in rules:
        hint = did_you_mean(name, rules)
        message = f"rule set '{text_of(ruleset, 'name')}' has no rule '{shorten(name)}'{hint}"
        report.error(override.target.position, message, "unknown-rule")
        return ruleset
    entries: list[tuple[Scalar, Node]] = []
    for key, value in ruleset.entries:
        if key.text == "rules" and isinstance(value, Items):
            items = tuple(
                merged(item, override.changes)
                if isinstance(item, Fields) and text_of(item, "name") == name
                else item
                for item in value.items
            )
            entries.append((key, replace(value, items=items)))
        else:
            entries.append((key, value))
    return replace(ruleset, entries=tuple(entries))


def merged(node: Fields, changes: Fields) -> Fields:
    """`node` with the keys of `changes` put in place; `vars` and `labels` member by member."""
    entries = {key.text: (key, value) for key, value in node.entries}
    for key, value in changes.entries:
        old = entries.get(key.text)
        if key.text in _MERGED and old and isinstance(old[1], Fields) and isinstance(value, Fields):
            entries[key.text] = (key, merged(old[1], value))
        else:
            entries[key.text] = (key, value)
    return replace(node, entries=tuple(entries.values()))
