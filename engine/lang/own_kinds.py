"""The kinds of a content: the shipped ones, and those that its schema/facts/ adds."""

from __future__ import annotations

from collections.abc import Sequence

from engine.core.errors import Position
from engine.core.facts import Catalogue
from engine.lang.content_files import ContentFile
from engine.lang.expression.suggest import did_you_mean
from engine.lang.kinds import SUFFIX, extend, is_shipped, read_kind, shipped_kinds
from engine.lang.reading import Report
from engine.lang.yaml import Node


def read_own_kinds(files: Sequence[tuple[ContentFile, Node | None]], report: Report) -> Catalogue:
    """The whole catalogue. A shipped kind may get further fields, and nothing else."""
    kinds = dict(shipped_kinds())
    for file, node in files:
        name = file.name.rsplit("/", 1)[-1].removesuffix(SUFFIX)
        if node is None or is_shipped(name, file.data):
            continue
        kind, problems = read_kind(node, name)
        report.extend(problems)
        if kind is not None:
            kinds[name], changed = extend(shipped_kinds(), kind, Position(file.name))
            report.extend(changed)
    for kind in kinds.values():
        for each in kind.fields.values():
            target = (each.reference or "").partition(".")[0]
            if target and target not in kinds:
                place = Position(f"schema/facts/{kind.name}{SUFFIX}")
                hint = did_you_mean(target, kinds)
                message = f"'x-ref' of {each.name} names the unknown kind '{target}'{hint}"
                report.error(place, message, "kind")
    return kinds
