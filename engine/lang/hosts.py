"""configs/hosts.yaml: labels and variables that the server gives to hosts."""

from __future__ import annotations

from engine.lang.model import HostEntry
from engine.lang.reading import (
    Report,
    fields_of,
    flag_of,
    labels_of,
    mappings_of,
    optional_text,
)
from engine.lang.schema import check_shape
from engine.lang.yaml import Fields, Node, to_json


def read_hosts(node: Node, report: Report) -> tuple[HostEntry, ...]:
    """The entries in the order written (later ones win). Problems are reported."""
    report.extend(check_shape(node, "hosts"))
    if not isinstance(node, Fields):
        return ()
    found: list[HostEntry] = []
    for entry in mappings_of(node, "hosts"):
        variables = fields_of(entry, "vars")
        expected = entry.key("expected")
        if expected is not None and "match" in entry:
            message = (
                "'expected' needs a 'name': a pattern does not say which hosts there should be"
            )
            report.error(expected.position, message, "conflict")
        found.append(
            HostEntry(
                name=optional_text(entry, "name"),
                match=optional_text(entry, "match"),
                labels=labels_of(entry, "labels"),
                vars={} if variables is None else dict(to_json(variables)),
                expected=flag_of(entry, "expected", False),
            )
        )
    return tuple(found)
