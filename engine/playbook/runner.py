"""The playbook engine: takes runs, carries them out durably, answers for them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from engine.core.errors import LangError, NotFound, WakilError
from engine.core.runs import Approval, Run, Trigger
from engine.core.values import SECOND, Json
from engine.lang.model import Playbook
from engine.playbook.approvals import answer, withdraw
from engine.playbook.durable import Workflows, once
from engine.playbook.environment import Environment, Interrupted
from engine.playbook.execution import execution, freeze
from engine.playbook.flow import carry_out
from engine.playbook.inputs import InvalidInputs, check_inputs
from engine.playbook.limits import admit, is_ended
from engine.playbook.outcome import failure_alert
from engine.playbook.plan import dry_run

_log = logging.getLogger(__name__)
_UNREADABLE = "what was stored of this run cannot be read, so it was not continued"


class Runner:
    """`launch` once, `shutdown` at the end; everything in between from any thread.

    `database_url` as SQLAlchemy writes it; `node` names this Wakil among several.
    """

    def __init__(self, env: Environment, database_url: str, *, node: str = "local") -> None:
        self._env = env
        self._workflows = Workflows(database_url, self._body, node)
        self._lock = threading.RLock()
        self._held: dict[str, Playbook] = {}
        self._working = 0
        self._idle = threading.Condition()
        self._keeper = threading.Thread(target=self._keep, name="wakil-runs", daemon=True)

    # ── life ──────────────────────────────────────────────────────────────────────────────────

    def launch(self) -> None:
        """Begins unfinished runs again, and takes in those recorded but never begun."""
        self._workflows.launch()
        unfinished = [run for run in self._env.store.unfinished_runs() if not run.dry_run]
        states = self._workflows.states([run.id for run in unfinished])
        for run in unfinished:
            state = states.get(run.id)
            if state is None:
                self._take_again(run)
            elif state == "held":
                self._hold_again(run)
        self._keeper.start()
        self.wake()

    def shutdown(self, grace: int = 10 * SECOND) -> None:
        """Begins nothing more and gives what acts `grace` microseconds to end. Runs that are not
        finished go on at the next launch."""
        signals = self._env.signals
        signals.stop()
        with self._idle:
            self._idle.wait_for(lambda: self._working == 0, grace / SECOND)
        signals.abandon()
        with self._idle:
            self._idle.wait_for(lambda: self._working == 0, 2)
        if self._keeper.is_alive():
            self._keeper.join(5)
        self._workflows.shutdown()

    def wake(self) -> None:
        """Looks again at what waits; call it when the pause ended."""
        self._env.signals.wake()

    # ── runs ──────────────────────────────────────────────────────────────────────────────────

    def start(self, run: Run) -> Run:
        """Records a run and has it begin; the same id again changes nothing.

        Where a person asks, what is wrong with the request is raised (`NotFound`,
        `InvalidInputs`, `LangError`); where a rule does, the run is recorded as failed.
        """
        known = self._env.store.get_run(run.id)
        if known is not None and (is_ended(known) or self._is_taken(run.id)):
            return known
        try:
            source = self._env.plans.source(run.commit, run.playbook)
            playbook = self._env.plans.parse(run.playbook, source)
            inputs = check_inputs(playbook, run.inputs)
        except (NotFound, InvalidInputs, LangError) as error:
            if run.trigger.firing is None and known is None:
                raise
            return self._fail(run, error)
        return self._take(run, playbook, source, inputs)

    def answer(
        self,
        approval: str,
        *,
        by: str,
        answer: Literal["approve", "reject"],
        digest: str,
        comment: str = "",
        role: str = "admin",
    ) -> Approval:
        """Records a person's answer (see `approvals.answer` for the errors) and lets the run go
        on."""
        answered = _answer(
            self._env, approval, by=by, answer=answer, digest=digest, comment=comment, role=role
        )
        self._env.publish("approval", answered)
        self.wake()
        return answered

    def dry_run(
        self,
        commit: str,
        playbook: str,
        inputs: Mapping[str, Json],
        *,
        host: str | None = None,
        trigger: Trigger | None = None,
    ) -> dict[str, Any]:
        """What the run would do now, found out without doing or recording anything.

        Errors: `NotFound`, `InvalidInputs`, `LangError`.
        """
        return dry_run(self._env, commit, playbook, inputs, host=host, trigger=trigger)

    # ── taking in ─────────────────────────────────────────────────────────────────────────────

    def _is_taken(self, run: str) -> bool:
        return run in self._workflows.states([run])

    def _take(self, run: Run, playbook: Playbook, source: str, inputs: Mapping[str, Json]) -> Run:
        with self._lock:
            created = run.created or self._env.clock.now()
            run = replace(run, inputs=inputs, created=created, status="queued")
            if not self._env.store.add_run(run):
                run = self._env.store.update_run(run.id, inputs=inputs)
            elsewhere = self._env.out_of_reach(run.host, playbook)
            if elsewhere is not None:
                return self._refuse(run, elsewhere)
            admission = admit(self._env.store, playbook, run)
            if admission.answer == "refuse":
                return self._refuse(run, admission.reason)
            frozen = freeze(self._env, run, source)
            self._env.publish("run", run)
            if admission.answer == "go" and not self._env.guard.paused():
                self._workflows.begin(run.id, frozen)
            else:
                self._held[run.id] = playbook
                self._workflows.hold(run.id, frozen)
        return run

    def _refuse(self, run: Run, reason: str) -> Run:
        refused = self._env.store.update_run(
            run.id, status="refused", ended=self._env.clock.now(), error=reason, reasons=(reason,)
        )
        self._env.publish("run", refused)
        return refused

    def _fail(self, run: Run, error: WakilError) -> Run:
        """A run that a rule asked for and that cannot be: recorded, and told."""
        now = self._env.clock.now()
        self._env.store.add_run(replace(run, created=run.created or now))
        return self._settle(run.id, "failed", error.message)

    def _settle(self, run: str, status: Literal["failed", "unknown"], error: str) -> Run:
        now, found = self._env.clock.now(), self._env.store.get_run(run)
        if found is None:
            raise NotFound(f"there is no run {run}")
        for approval in withdraw(self._env.store, run):
            self._env.publish("approval", approval)
        failed = replace(found, status=status, error=error)
        self._env.alert(failure_alert(failed, now, failed.host or self._env.host))
        ended = self._env.store.update_run(run, status=status, ended=now, error=error)
        self._env.publish("run", ended)
        self.wake()
        return ended

    def _take_again(self, run: Run) -> None:
        try:
            self.start(run)
        except WakilError as error:
            self._settle(run.id, "failed", error.message)

    def _hold_again(self, run: Run) -> None:
        frozen = self._workflows.frozen(run.id)
        try:
            if frozen is None:
                raise WakilError(_UNREADABLE)
            self._held[run.id] = self._env.plans.parse(run.playbook, str(frozen["source"]))
        except WakilError as error:
            self._workflows.forget([run.id])
            self._settle(run.id, "unknown", error.message)

    # ── keeping ───────────────────────────────────────────────────────────────────────────────

    def _keep(self) -> None:
        """Releases what was held, and settles runs whose stored state cannot be read."""
        signals = self._env.signals
        try:
            while True:
                seen = signals.wakes
                try:
                    self._release_held()
                    self._settle_lost()
                    self._workflows.sweep()
                except Exception:
                    _log.exception("looking after runs failed; it is tried again")
                signals.sleep(self._env.keep, seen)
        except Interrupted:
            return

    def _release_held(self) -> None:
        with self._lock:
            if not self._held or self._env.guard.paused():
                return
            for run in self._env.store.unfinished_runs():
                playbook = self._held.get(run.id)
                if playbook is None:
                    continue
                admission = admit(self._env.store, playbook, run)
                if admission.answer == "wait":
                    continue
                del self._held[run.id]
                if admission.answer == "refuse":
                    self._workflows.forget([run.id])
                    self._refuse(run, admission.reason)
                else:
                    self._workflows.release(run.id)

    def _settle_lost(self) -> None:
        unfinished = [run.id for run in self._env.store.unfinished_runs() if not run.dry_run]
        for name, state in self._workflows.states(unfinished).items():
            run = self._env.store.get_run(name)
            if state == "ended" and run is not None and not is_ended(run):
                self._settle(name, "unknown", _UNREADABLE)

    # ── carrying out, on a thread of DBOS ─────────────────────────────────────────────────────

    def _body(self, run: str, frozen: Mapping[str, Any]) -> str:
        with self._idle:
            self._working += 1
        try:
            return self._carry_out(run, frozen)
        finally:
            with self._idle:
                self._working -= 1
                self._idle.notify_all()

    def _carry_out(self, name: str, frozen: Mapping[str, Any]) -> str:
        run = self._env.store.get_run(name)
        if run is None or is_ended(run):
            return "gone" if run is None else run.status
        try:
            playbook = self._env.plans.parse(run.playbook, str(frozen["source"]))
            if run.status == "waiting":  # for what may have come while Wakil was away
                run = self._env.store.update_run(
                    name, status="running" if run.started else "queued"
                )
            return carry_out(execution(self._env, once, run, playbook, frozen))
        except Exception as error:
            _log.exception("run %s of %s broke off", run.id, run.playbook)
            why = error.message if isinstance(error, WakilError) else type(error).__name__
            return self._settle(name, "unknown", f"the run could not go on: {why}").status


def _answer(env: Environment, approval: str, **given: Any) -> Approval:
    return answer(env.store, env.clock, approval, **given)
