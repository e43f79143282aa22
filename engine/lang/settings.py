"""Settings: the machine's own, content's configs/wakil.yaml, and the two made one.

The machine's win, leaf by leaf; `actions` as a whole, because it is one list of permissions. What
no later key of this version acts on is refused by the schema, so that no setting does nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.core.errors import LangError, Problem, SettingsError
from engine.core.values import DAY, parse_duration
from engine.lang.reading import Mode, Report, fields_of
from engine.lang.schema import check_shape
from engine.lang.settings_environment import from_environment
from engine.lang.yaml import Fields, Node, Scalar, parse, shorten, to_json

MACHINE_FILE: Final = "/etc/wakil/wakil.yaml"
MACHINE_KEYS: Final = frozenset(
    {"server", "database", "data", "content", "actions", "secrets", "network", "auth", "keys"}
    | {"mode_ceiling", "audit"}
)
"""What shared content must not decide (of `content`, `defaults` and `strict` may stand there)."""
SHARED_CONTENT: Final = frozenset({"defaults", "strict"})
_WHOLE: Final = frozenset({"actions"})
_STRICTNESS: Final[Mapping[Mode, int]] = {"observe": 0, "approve": 1, "auto": 2}


@dataclass(frozen=True, slots=True)
class Retention:
    """How long records are kept, microseconds."""

    facts: int = 14 * DAY
    decisions: int = 90 * DAY
    runs: int = 90 * DAY
    audit: int = 400 * DAY


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting that this version acts on, defaults filled in."""

    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    user: str | None = None
    """Whom the server becomes when it is started as root."""
    host_name: str | None = None
    """Name of the local host in facts; None: the system's at first start."""
    timezone: str = "UTC"
    database: str = "sqlite"
    data: str | None = None
    """The data directory, None: where the command line says it is."""
    content_defaults: bool = False
    mode: Mode = "auto"
    """The strictest of `automation.mode` and the machine's `mode_ceiling`."""
    actions: Mapping[str, Any] | None = None
    """`{allow, paths, commands}`; None where not set: open in local content, else observe only."""
    retention: Retention = Retention()


def settings_of(machine: Mapping[str, Any], content: Mapping[str, Any]) -> Settings:
    """Machine and content settings, each as checked, made one with the defaults filled in."""
    merged = merge(content, machine)
    server = merged.get("server", {})
    kept = {name: parse_duration(text) for name, text in merged.get("retention", {}).items()}
    ceiling: Mode = merged.get("mode_ceiling", "auto")
    mode: Mode = merged.get("automation", {}).get("mode", "auto")
    url = server.get("public_url")
    return Settings(
        host=server.get("host", "127.0.0.1"),
        port=int(server.get("port", 8000)),
        public_url=None if url is None else str(url).rstrip("/"),
        trusted_proxies=tuple(server.get("trusted_proxies", ())),
        user=server.get("user"),
        host_name=server.get("host_name"),
        timezone=merged.get("timezone", "UTC"),
        database=merged.get("database", "sqlite"),
        data=merged.get("data"),
        content_defaults=merged.get("content", {}).get("defaults", False),
        mode=min(mode, ceiling, key=lambda each: _STRICTNESS[each]),
        actions=merged.get("actions"),
        retention=Retention(**{name: age for name, age in kept.items() if age is not None}),
    )


def merge(
    below: Mapping[str, Any], above: Mapping[str, Any], whole: frozenset[str] = _WHOLE
) -> dict[str, Any]:
    """`above` laid over `below`, mappings member by member except those in `whole`."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if key not in whole and isinstance(under, Mapping) and isinstance(value, Mapping):
            merged[key] = merge(under, value, whole)
        else:
            merged[key] = value
    return merged


def read_settings(node: Node, report: Report, *, shared: bool, machine_file: str) -> dict[str, Any]:
    """configs/wakil.yaml as checked. In shared content the machine's keys are problems."""
    report.extend(check_settings(node))
    if not isinstance(node, Fields):
        return {}
    if shared:
        _refuse_machine_keys(node, report, machine_file)
    found: dict[str, Any] = to_json(node)
    return found


def check_settings(node: Node) -> list[Problem]:
    """All that is wrong with a settings file, the machine's or content's."""
    if isinstance(node, Scalar) and node.value is None:
        return []
    problems = check_shape(node, "settings")
    zone = node.get("timezone") if isinstance(node, Fields) else None
    if isinstance(zone, Scalar) and isinstance(zone.value, str) and not is_timezone(zone.value):
        message = (
            f"there is no time zone '{shorten(zone.value)}'; an IANA name is wanted: Asia/Riyadh"
        )
        problems.append(Problem(zone.position, message, "timezone"))
    server = fields_of(node, "server") if isinstance(node, Fields) else None
    if server is not None and (port := server.key("gateway_port")) is not None:
        message = "this version has no gateway; the port is not used"
        problems.append(Problem(port.position, message, "later", "warning"))
    return problems


def is_timezone(name: str) -> bool:
    """Whether the IANA database knows the zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _refuse_machine_keys(node: Fields, report: Report, machine_file: str) -> None:
    for key, value in node.entries:
        if key.text not in MACHINE_KEYS:
            continue
        if key.text == "content" and isinstance(value, Fields):
            inner = [each for each, _ in value.entries if each.text not in SHARED_CONTENT]
            misplaced = [(f"content.{each.text}", each) for each in inner]
        else:
            misplaced = [(key.text, key)]
        for name, place in misplaced:
            message = (
                f"'{name}' belongs in the machine's settings, {machine_file}: this content is "
                "shared, and shared content must not decide it"
            )
            report.error(place.position, message, "machine-key")


def read_machine_settings(
    path: Path | None, environment: Mapping[str, str]
) -> tuple[dict[str, Any], Sequence[str]]:
    """The machine's settings from its file, laid under those of `WAKIL_…` variables.

    Also gives warnings (variables that name no setting). Raises SettingsError naming the file, or
    the variable, and what is wrong.
    """
    found: dict[str, Any] = {}
    if path is not None:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise SettingsError(f"cannot read the settings {path}: {error.strerror}") from None
        try:
            node = parse(data, str(path))
        except LangError as error:
            raise SettingsError(_sentence(error.problems)) from None
        problems = _errors(node)
        if problems:
            raise SettingsError(_sentence(problems))
        found = to_json(node) or {}
    values, warnings = from_environment(environment)
    for variable, node in values:
        problems = _errors(node)
        if problems:
            raise SettingsError(f"{variable}: {problems[0].message}")
        found = merge(found, to_json(node), whole=frozenset())
    return found, warnings


def _errors(node: Node) -> list[Problem]:
    return sorted(problem for problem in check_settings(node) if problem.severity == "error")


def _sentence(problems: Sequence[Problem]) -> str:
    return "\n".join(str(problem) for problem in problems)
