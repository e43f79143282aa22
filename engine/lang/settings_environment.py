"""Settings from the environment: `WAKIL_` and a key's path in capitals, `WAKIL_SERVER_PORT`.

Text is taken as it stands; numbers, lists and mappings are written as YAML, in flow style:
`WAKIL_ACTIONS_ALLOW='[service.*, files.prune]'`. `WAKIL_HOST` and `WAKIL_PORT` stand for
`server.host` and `server.port`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from engine.core.errors import LangError, SettingsError
from engine.lang.expression.suggest import did_you_mean
from engine.lang.schema import shipped_schema
from engine.lang.yaml import Fields, Node, Scalar, Source, parse, shorten

PREFIX: Final = "WAKIL_"
_SHORT: Final = {"WAKIL_HOST": ("server", "host"), "WAKIL_PORT": ("server", "port")}
_ELSEWHERE: Final = frozenset(
    {"WAKIL_CONTENT", "WAKIL_CONFIG", "WAKIL_TOKEN", "WAKIL_URL", "WAKIL_GATEWAY_PORT"}
)
"""Variables that the command line reads."""


def from_environment(
    environment: Mapping[str, str],
) -> tuple[Sequence[tuple[str, Node]], Sequence[str]]:
    """Each variable that is a setting as the tree of a settings file; and warnings."""
    known = {**dict(_variables()), **_SHORT}
    found: list[tuple[str, Node]] = []
    warnings: list[str] = []
    for variable in sorted(environment):
        if not variable.startswith(PREFIX) or variable in _ELSEWHERE:
            continue
        path = known.get(variable)
        if path is None:
            hint = did_you_mean(variable, known)
            warnings.append(f"the variable {variable} names no setting{hint}")
        else:
            found.append((variable, _tree(variable, path, environment[variable])))
    return found, warnings


def _variables() -> Iterator[tuple[str, tuple[str, ...]]]:
    schema = shipped_schema("settings")
    for name, top in schema["properties"].items():
        yield f"{PREFIX}{name.upper()}", (name,)
        for inner in top.get("properties", {}):
            yield f"{PREFIX}{name}_{inner}".upper(), (name, inner)


def _tree(variable: str, path: tuple[str, ...], text: str) -> Node:
    source = Source(variable, text)
    schema: Mapping[str, Any] = {"properties": shipped_schema("settings")["properties"]}
    for name in path:
        schema = schema["properties"][name]
    value: Node
    if schema.get("type") == "string":
        value = Scalar(text, text, "plain", source, 0, len(text))
    else:
        try:
            value = parse(text, variable)
        except LangError as error:
            raise SettingsError(f"{variable}: {shorten(error.problems[0].message, 200)}") from None
    for name in reversed(path):
        key = Scalar(name, name, "plain", source, 0, 0)
        value = Fields(((key, value),), source, 0)
    return value
