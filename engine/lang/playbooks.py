"""Playbooks: from a file's tree to `model.Playbook`, every reference in it checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from engine.core.facts import Catalogue
from engine.core.ports import ActionType
from engine.core.values import MINUTE
from engine.lang.expression.suggest import did_you_mean
from engine.lang.expression.types import (
    ANY,
    BOOLEAN,
    INTEGER,
    LABELS,
    NUMBER,
    TEXT,
    TIME,
    Names,
    NameType,
    kind_type,
    list_type,
    object_type,
    schema_type,
)
from engine.lang.model import (
    AskSpec,
    Input,
    Limit,
    Playbook,
    Retry,
    StepSpec,
    VerifySpec,
    WaitSpec,
)
from engine.lang.playbook_inputs import check_action_inputs, read_inputs
from engine.lang.reading import (
    MODES,
    Language,
    choice_of,
    duration_of,
    fields_of,
    flag_of,
    integer_of,
    labels_of,
    mappings_of,
    optional_text,
    text_of,
    texts_of,
)
from engine.lang.schema import check_shape
from engine.lang.yaml import Fields, Node, Scalar, shorten

_TYPES: Mapping[str, NameType] = {
    "string": TEXT,
    "integer": INTEGER,
    "number": NUMBER,
    "boolean": BOOLEAN,
    "duration": TEXT,
    "list": list_type(),
    "object": ANY,
}
_INTERRUPT: tuple[Literal["ask", "fail", "retry"], ...] = ("ask", "fail", "retry")
_TIMEOUT: tuple[Literal["deny", "allow"], ...] = ("deny", "allow")
_BACKOFF: tuple[Literal["fixed", "exponential"], ...] = ("fixed", "exponential")


@dataclass(frozen=True, slots=True)
class PlaybookReader:
    """Reads playbooks against the actions, kinds and calendars that exist."""

    language: Language
    actions: Mapping[str, ActionType]
    kinds: Catalogue

    def read(self, node: Node, file: str) -> Playbook | None:
        """The playbook of a file; None where it has no readable name. Problems are reported."""
        self.language.report.extend(check_shape(node, "playbook"))
        if not isinstance(node, Fields) or not text_of(node, "name"):
            return None
        inputs = read_inputs(node, self.language.report)
        self._limits_inputs(node, inputs)
        steps = _Steps(self, inputs)
        main = steps.read_all(node, "steps")
        on_failure = steps.read_all(node, "on_failure")
        always = steps.read_all(node, "always")
        return Playbook(
            name=text_of(node, "name"),
            file=file,
            steps=main,
            description=text_of(node, "description"),
            inputs=inputs,
            limits=tuple(_limit(each) for each in mappings_of(node, "limits")),
            timeout=duration_of(node, "timeout"),
            verify=steps.verify(fields_of(node, "verify")),
            on_failure=on_failure,
            always=always,
            labels=labels_of(node, "labels"),
            mode=choice_of(node, "mode", MODES),
        )

    def _limits_inputs(self, node: Fields, inputs: Mapping[str, Input]) -> None:
        report = self.language.report
        for limit in mappings_of(node, "limits"):
            per = limit.get("per")
            for item in getattr(per, "items", ()):
                name = item.text.removeprefix("inputs.") if isinstance(item, Scalar) else ""
                if (
                    isinstance(item, Scalar)
                    and item.text.startswith("inputs.")
                    and (name not in inputs)
                ):
                    hint = did_you_mean(name, inputs)
                    report.error(item.position, f"there is no input '{shorten(name)}'{hint}")
            if ("runs" in limit) != ("period" in limit):
                present, absent = ("runs", "period") if "runs" in limit else ("period", "runs")
                report.error(limit.position, f"'{present}' needs '{absent}' beside it")
            elif "runs" not in limit and "concurrency" not in limit:
                report.error(limit.position, "a limit needs 'concurrency', or 'runs' and 'period'")


class _Steps:
    """Reads the steps of one playbook in order: a step sees the outputs of those before it."""

    def __init__(self, reader: PlaybookReader, inputs: Mapping[str, Input]) -> None:
        self._language = reader.language
        self._report = reader.language.report
        self._actions = reader.actions
        self._kinds = reader.kinds
        self._inputs = object_type(
            {
                name: replace(
                    _TYPES[given.type],
                    enum=given.enum,
                    optional=not given.required and given.default is None,
                )
                for name, given in inputs.items()
            },
            noun="input",
        )
        self._outputs: dict[str, NameType] = {}

    def names(self, *, facts: bool = False) -> Names:
        """What expressions may read at this point; facts only where a step looks at the world."""
        found: dict[str, NameType] = {}
        if facts:
            found.update({name: kind_type(kind) for name, kind in self._kinds.items()})
        found.update(
            inputs=self._inputs,
            steps=object_type(dict(self._outputs), noun="earlier step"),
            trigger=ANY,
            run=object_type(
                {
                    "id": TEXT,
                    "playbook": TEXT,
                    "commit": TEXT,
                    "error": replace(TEXT, optional=True),
                }
            ),
            host=replace(TEXT, optional=True),
            labels=LABELS,
            vars=ANY,
            time=TIME,
        )
        return found

    def read_all(self, node: Fields, phase: str) -> tuple[StepSpec, ...]:
        return tuple(
            self._step(each, f"{phase}.{place}")
            for place, each in enumerate(mappings_of(node, phase))
        )

    def verify(self, node: Fields | None) -> VerifySpec | None:
        if node is None:
            return None
        that = self._language.expression(node.get("that"), "that", self.names(facts=True))
        within = duration_of(node, "within")
        resolved = flag_of(node, "resolved", False)
        return VerifySpec(that, resolved, 5 * MINUTE if within is None else within)

    def _step(self, node: Fields, path: str) -> StepSpec:
        names = self.names()
        uses = optional_text(node, "uses")
        action = self._action(node, uses)
        self._misplaced(node)
        condition = self._language.expression(node.get("if"), "if", names)
        inputs = self._language.values(fields_of(node, "with"), names)
        if action is not None:
            check_action_inputs(node, action, names, self._report)
        ask, wait = self._ask(node, names), self._wait(node)
        step_id = self._remember(node, action)
        rollback = fields_of(node, "rollback")
        label = uses or ("ask" if ask else "wait")
        return StepSpec(
            path=path,
            name=text_of(node, "name") or label,
            position=node.position,
            id=step_id,
            uses=uses,
            inputs=inputs,
            condition=condition,
            retry=_retry(fields_of(node, "retry")),
            timeout=duration_of(node, "timeout"),
            rollback=None if rollback is None else self._step(rollback, f"{path}.rollback"),
            continue_on_error=flag_of(node, "continue_on_error", False),
            idempotent=flag_of(node, "idempotent", False) if "idempotent" in node else None,
            on_interrupt=choice_of(node, "on_interrupt", _INTERRUPT) or "ask",
            ask=ask,
            wait=wait,
        )

    def _action(self, node: Fields, uses: str | None) -> ActionType | None:
        found = node.get("uses")
        if uses is None or found is None:
            return None
        if uses.startswith("playbook/"):
            message = "calling a playbook from a playbook is not available in this version"
            self._report.error(found.position, message, "later")
            return None
        action = self._actions.get(uses)
        if action is None:
            hint = did_you_mean(uses, self._actions)
            self._report.error(
                found.position, f"there is no action '{shorten(uses)}'{hint}", "unknown-action"
            )
        return action

    def _misplaced(self, node: Fields) -> None:
        """Keys that mean something only where the step calls an action."""
        if "uses" in node:
            return
        for key in ("with", "rollback", "retry", "timeout", "idempotent", "on_interrupt"):
            found = node.key(key)
            if found is not None and ("ask" in node or "wait" in node):
                other = "ask" if "ask" in node else "wait"
                message = f"'{key}' goes with 'uses'; this step is an '{other}'"
                self._report.error(found.position, message, "conflict")

    def _remember(self, node: Fields, action: ActionType | None) -> str | None:
        step_id, found = optional_text(node, "id"), node.get("id")
        if step_id is None or found is None:
            return None
        if step_id in self._outputs:
            self._report.error(
                found.position, f"two steps have the id '{shorten(step_id)}'", "duplicate"
            )
        outputs = ANY
        if action is not None:
            outputs = schema_type({"additionalProperties": False, **action.outputs})
        self._outputs[step_id] = replace(outputs, noun="output", optional=True)
        return step_id

    def _ask(self, node: Fields, names: Names) -> AskSpec | None:
        ask = fields_of(node, "ask")
        if ask is None:
            return None
        message = self._language.template(ask.get("message"), names)
        if message is None:
            return None
        return AskSpec(
            role=text_of(ask, "role"),
            message=message,
            timeout=duration_of(ask, "timeout"),
            count=integer_of(ask, "count") or 1,
            not_requester=flag_of(ask, "not_requester", False),
            on_timeout=choice_of(ask, "on_timeout", _TIMEOUT) or "deny",
        )

    def _wait(self, node: Fields) -> WaitSpec | None:
        wait = fields_of(node, "wait")
        if wait is None:
            return None
        that = self._language.expression(wait.get("that"), "that", self.names(facts=True))
        held, within = duration_of(wait, "for") or 0, duration_of(wait, "within") or 0
        if that is None and "for" in wait and "that" not in wait:
            self._report.error(
                wait.position, "'for' says how long 'that' must have held: it is missing"
            )
        if held > within:
            self._report.error(wait.position, "'for' cannot be longer than 'within'")
        return WaitSpec(that, held, within)


def _retry(node: Fields | None) -> Retry:
    if node is None:
        return Retry()
    return Retry(
        attempts=integer_of(node, "attempts") or 1,
        delay=duration_of(node, "delay") or 0,
        backoff=choice_of(node, "backoff", _BACKOFF) or "fixed",
    )


def _limit(node: Fields) -> Limit:
    return Limit(
        per=texts_of(node, "per"),
        concurrency=integer_of(node, "concurrency"),
        runs=integer_of(node, "runs"),
        period=duration_of(node, "period"),
    )
