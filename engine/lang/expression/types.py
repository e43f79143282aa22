"""What is known of the names an expression may read: types for the check, nothing at run time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from engine.core.facts import FactKind, FieldType
from engine.core.values import Json


@dataclass(frozen=True, slots=True)
class NameType:
    """What a value may be. `types` are JSON Schema type names, empty for any.

    `fields` are the declared members; `rest` is what other members are, None where there are no
    others. With neither, anything may stand inside. `noun` is what messages call a member.
    """

    types: frozenset[str] = frozenset()
    fields: Mapping[str, NameType] | None = None
    rest: NameType | None = None
    items: NameType | None = None
    enum: tuple[Json, ...] | None = None
    optional: bool = False
    noun: str = "field"
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Old member names to today's."""

    def groups(self) -> frozenset[str]:
        """The types with `integer` folded into `number`."""
        return frozenset("number" if name == "integer" else name for name in self.types)


Names = Mapping[str, NameType]


def _of(name: str) -> NameType:
    return NameType(frozenset({name}))


ANY: Final = NameType()
TEXT: Final = _of("string")
NUMBER: Final = _of("number")
INTEGER: Final = _of("integer")
BOOLEAN: Final = _of("boolean")
NULL: Final = _of("null")

_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def list_type(items: NameType = ANY) -> NameType:
    """A list of such items."""
    return NameType(frozenset({"array"}), items=items)


def object_type(
    fields: Names | None = None, rest: NameType | None = None, noun: str = "field"
) -> NameType:
    """An object of these members, and of others where `rest` says what they are."""
    return NameType(frozenset({"object"}), fields=fields, rest=rest, noun=noun)


TIME: Final = object_type(
    {
        "hour": INTEGER,
        "minute": INTEGER,
        "weekday": NameType(frozenset({"string"}), enum=_WEEKDAYS),
        "date": TEXT,
    }
)
LABELS: Final = object_type({}, replace(TEXT, optional=True), noun="label")


def kind_type(kind: FactKind) -> NameType:
    """The data of a fact kind, as its name reads in a condition."""
    fields = {name: field_type(one) for name, one in kind.fields.items()}
    rest = replace(ANY, optional=True) if kind.open else None
    return NameType(frozenset({"object"}), fields=fields, rest=rest, renamed=kind.renamed)


def field_type(declared: FieldType) -> NameType:
    """A declared field of a kind."""
    fields = None
    if declared.properties is not None:
        fields = {name: field_type(one) for name, one in declared.properties.items()}
    return NameType(
        declared.types,
        fields=fields,
        items=None if declared.items is None else field_type(declared.items),
        enum=declared.enum,
        optional=not declared.required and declared.default is None,
    )


def value_type(value: Any) -> NameType:
    """The type of a constant (a variable's value)."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, int | float):
        return NUMBER
    if isinstance(value, str):
        return TEXT
    if isinstance(value, list | tuple):
        kinds = {value_type(item).groups() for item in value}
        return list_type(NameType(next(iter(kinds))) if len(kinds) == 1 else ANY)
    if isinstance(value, Mapping):
        return object_type({str(name): value_type(item) for name, item in value.items()})
    return ANY


def variables_type(own: Mapping[str, Any], hosts: Iterable[Mapping[str, Any]] = ()) -> NameType:
    """`vars`: a rule set's own, and those that entries of hosts.yaml give."""
    fields = {name: value_type(value) for name, value in own.items()}
    for given in hosts:
        for name, value in given.items():
            found = value_type(value)
            if name not in fields:
                fields[name] = replace(found, optional=True)
            elif fields[name].groups() != found.groups():
                fields[name] = ANY
    return object_type(fields, noun="variable")


def schema_type(schema: Any) -> NameType:
    """The type a JSON Schema (draft 2020-12) describes, as far as it says so plainly."""
    if not isinstance(schema, Mapping):
        return ANY
    named = schema.get("type")
    types = frozenset([named] if isinstance(named, str) else named or [])
    properties, items, enum = (schema.get(key) for key in ("properties", "items", "enum"))
    fields: Names | None = None
    rest: NameType | None = None
    if isinstance(properties, Mapping) and properties:
        required = schema.get("required") or []
        fields = {
            name: replace(schema_type(one), optional=name not in required)
            for name, one in properties.items()
        }
        rest = None if schema.get("additionalProperties") is False else ANY
    return NameType(
        types,
        fields=fields,
        rest=rest,
        items=schema_type(items) if items is not None else None,
        enum=tuple(enum) if isinstance(enum, list | tuple) else None,
    )


def rule_names(kinds: Iterable[FactKind], variables: NameType) -> dict[str, NameType]:
    """What a rule's conditions and templates may read: these kinds, and what every rule has."""
    names = {kind.name: kind_type(kind) for kind in kinds}
    names.update(
        host=replace(TEXT, optional=True),
        labels=LABELS,
        vars=variables,
        time=TIME,
        firing=TEXT,
        members=list_type(),
    )
    return names
