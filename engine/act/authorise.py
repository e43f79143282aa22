"""The one question put before every privileged effect or read: does the machine allow it?

Content says what it would like; the machine's settings (`actions`, LANGUAGE.md section 6) say
what may be. Local content without `actions` may do what the user who runs Wakil may; shared
content without `actions` observes only.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal
from urllib.parse import urlsplit

from engine.core.errors import Refused
from engine.core.ports import Order

EffectKind = Literal["action", "path", "log", "pid_file", "start", "url", "command", "argv"]
SETTING_EFFECTS = ("path", "log", "pid_file", "start", "url")
"""What `x-effect` in an agent's settings schema may say of a field."""

_ACTION_OF = {"exec": "command.run", "process.signal": "process.terminate"}
_LOOKS = {"service.state", "files.plan", "command.describe"}


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that would touch the system; `field` says who asks (`services[0].start`)."""

    kind: EffectKind
    value: Any
    field: str = ""


@dataclass(frozen=True, slots=True)
class Permissions:
    """What the machine allows; made by `permissions`."""

    open: bool
    actions: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    commands: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    origins: tuple[str, ...] = ()


def permissions(
    *, shared: bool, actions: Mapping[str, Any] | None, origins: Sequence[str] = ()
) -> Permissions:
    """From the settings key `actions` (None where it is not set) and whether content is shared.

    `origins` are those that the machine's `network` settings allow, as `https://host:port`.
    """
    if actions is None:
        return Permissions(open=not shared, origins=tuple(origins))
    return Permissions(
        open=False,
        actions=tuple(actions.get("allow", ())),
        paths=tuple(actions.get("paths", ())),
        commands={command["name"]: command for command in actions.get("commands", ())},
        origins=tuple(origins),
    )


def authorise(effect: Effect, allowed: Permissions) -> None:
    """Returns where the machine allows the effect; raises `Refused`, naming the line to add."""
    if allowed.open:
        return
    by = f"{effect.field}: " if effect.field else ""
    value = effect.value
    match effect.kind:
        case "action":
            fits = any(fnmatchcase(value, pattern) for pattern in allowed.actions)
            line = f"actions.allow: [{value}]"
        case "path" | "log" | "pid_file":
            fits = _beneath(value, allowed.paths)
            line = f"actions.paths: [{posixpath.dirname(str(value)) or value}]"
        case "start":
            fits = any(list(value) == command["argv"] for command in allowed.commands.values())
            line = "actions.commands: an entry with exactly this argv"
        case "command":
            fits = value in allowed.commands
            line = f"actions.commands: an entry named {value}"
        case "url":
            fits = _origin(value) in allowed.origins
            line = f"network.origins: [{_origin(value)}]"
        case "argv":
            fits, line = False, "actions.commands: an entry for it"
    if not fits:
        raise Refused(
            f"{by}the machine's settings do not allow {effect.kind} {_shown(value)}; "
            f"this would: {line}"
        )


def authorise_order(order: Order, allowed: Permissions) -> None:
    """Authorises all that an order to the hands would do; raises `Refused`."""
    if order.verb not in _LOOKS:
        authorise(Effect("action", _ACTION_OF.get(order.verb, order.verb)), allowed)
    if order.verb.startswith("files.") and "path" in order.args:
        authorise(Effect("path", order.args["path"]), allowed)
    if order.verb == "exec" and order.args.get("argv") is not None:
        authorise(Effect("argv", order.args["argv"]), allowed)
    elif order.verb in ("exec", "command.describe"):
        authorise(Effect("command", order.args.get("command")), allowed)


def effects_of(schema: Mapping[str, Any], settings: Any, where: str = "") -> Iterator[Effect]:
    """All effects that an agent's settings ask for, by the schema's `x-effect` marks."""
    if "x-effect" in schema:
        yield Effect(schema["x-effect"], settings, where)
    elif isinstance(settings, Mapping):
        properties = schema.get("properties", {})
        for name, value in settings.items():
            inner = f"{where}.{name}" if where else name
            yield from effects_of(properties.get(name, {}), value, inner)
    elif isinstance(settings, list | tuple):
        for place, value in enumerate(settings):
            yield from effects_of(schema.get("items", {}), value, f"{where}[{place}]")


def screen(
    schema: Mapping[str, Any], settings: Mapping[str, Any], allowed: Permissions
) -> tuple[dict[str, Any], tuple[Refused, ...]]:
    """An agent's settings without what is not allowed: of a list the item goes, else the field;
    with the refusals, for `doctor` and the log."""
    kept: dict[str, Any] = {}
    refusals: list[Refused] = []
    for name, value in settings.items():
        part = schema.get("properties", {}).get(name, {})
        if isinstance(value, list | tuple) and "x-effect" not in part:
            items = []
            for place, item in enumerate(value):
                found = _refusals(part.get("items", {}), item, f"{name}[{place}]", allowed)
                refusals += found
                items += [] if found else [item]
            kept[name] = items
            continue
        found = _refusals(part, value, name, allowed)
        refusals += found
        if not found:
            kept[name] = value
    return kept, tuple(refusals)


def _refusals(
    schema: Mapping[str, Any], value: Any, where: str, allowed: Permissions
) -> list[Refused]:
    found = []
    for effect in effects_of(schema, value, where):
        try:
            authorise(effect, allowed)
        except Refused as refused:
            found.append(refused)
    return found


def _beneath(path: Any, roots: Sequence[str]) -> bool:
    """Whether an absolute path without `..` lies at or beneath one of the roots."""
    if not isinstance(path, str) or not path.startswith("/") or ".." in path.split("/"):
        return False
    clean = posixpath.normpath(path)
    return any(clean == root or clean.startswith(root.rstrip("/") + "/") for root in roots)


def _origin(url: Any) -> str:
    """Scheme, host and port of a URL (or of `host:port`), empty where it is none."""
    try:
        parts = urlsplit(url if "://" in url else f"tcp://{url}")
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except (ValueError, TypeError, AttributeError):
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port}" if parts.hostname else ""


def _shown(value: Any) -> str:
    text = str(value)
    return repr(text if len(text) <= 200 else text[:200] + "…")
