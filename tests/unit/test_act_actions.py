"""Actions as a playbook's step calls them, with the real hands behind."""

import os
import subprocess
import time
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from agents import AGENTS
from engine.act import actions
from engine.act.authorise import permissions
from engine.act.charter import compile_charter, declared_services
from engine.act.client import HandsClient
from engine.core.clock import SystemClock
from engine.core.errors import ActionError, Refused
from engine.core.ports import ActionContext
from engine.notify import log

ACTIONS = {
    action.name: action
    for action in (
        *actions.ALL,
        *log.ALL,
        *(action for agent in AGENTS for action in agent.actions),
    )
}
FIRST_LIGHT = {
    "service.start",
    "service.stop",
    "service.restart",
    "files.prune",
    "files.restore",
    "journal.vacuum",
    "process.terminate",
    "command.run",
    "notify.send",
}


class Step:
    """Performs actions as steps of one run."""

    def __init__(self, path):
        self.path = path
        self.agents = {"apps": {"services": []}}
        self.actions = None
        self.client = None
        self.count = 0
        self.lines = []
        self.sent = []

    def context(self):
        if self.client is None:
            allowed = permissions(shared=False, actions=self.actions)
            self.client = HandsClient(compile_charter(allowed, self.agents, self.path / "data"))
            self.client.start()
        self.count += 1
        return ActionContext(
            run="run-1",
            step=f"steps.{self.count}",
            attempt=1,
            deadline=time.time_ns() // 1000 + 30_000_000,
            host="test",
            hands=self.client,
            clock=SystemClock(),
            services=declared_services(self.agents),
            say=self.lines.append,
            notify=lambda to, text: self.sent.append((to, text)),
        )

    def do(self, name, /, **inputs):
        action = ACTIONS[name]
        Draft202012Validator(action.inputs).validate(inputs)
        outputs = action.perform(self.context(), inputs)
        Draft202012Validator(action.outputs).validate(outputs)
        return outputs

    def check(self, name, /, **inputs):
        return ACTIONS[name].check(self.context(), inputs)

    def destroys(self, name, /, **inputs):
        return ACTIONS[name].destructive(self.context(), inputs)


@pytest.fixture
def step(tmp_path):
    step = Step(tmp_path)
    yield step
    if step.client is not None:
        step.client.close()


def test_all_actions_of_first_light_are_there():
    assert set(ACTIONS) == FIRST_LIGHT


@pytest.mark.parametrize("name", sorted(FIRST_LIGHT))
def test_each_has_a_schema_and_an_example_that_fits_it(name):
    action = ACTIONS[name]
    Draft202012Validator.check_schema(action.inputs)
    Draft202012Validator.check_schema(action.outputs)
    assert action.description
    assert action.example["uses"] == name
    Draft202012Validator(action.inputs).validate(action.example["with"])


def test_a_command_gives_its_outputs(step):
    outputs = step.do("command.run", argv=["/bin/echo", "said", 3, True], cwd="/")
    assert outputs == {"exit_code": 0, "stdout": "said 3 true\n", "stderr": ""}
    assert step.lines == ["said 3 true"]


def test_a_status_other_than_0_fails_the_step(step):
    with pytest.raises(ActionError, match="/bin/sh ended with 3: no"):
        step.do("command.run", argv=["/bin/sh", "-c", "echo no >&2; exit 3"])


def test_declared_commands_say_whether_they_destroy(step):
    commands = [
        {"name": "wipe", "argv": ["/bin/true"], "destructive": True},
        {"name": "greet", "argv": ["/bin/echo", "{who}"], "params": {"who": "[a-z]+"}},
    ]
    step.actions = {"allow": ["command.run"], "commands": commands}
    assert step.destroys("command.run", command="wipe")
    assert not step.destroys("command.run", command="greet", params={"who": "amal"})
    assert not step.destroys("command.run", command="undeclared")
    assert step.do("command.run", command="greet", params={"who": "amal"})["stdout"] == "amal\n"
    with pytest.raises(Refused, match="do not allow command"):
        step.do("command.run", command="undeclared")


@pytest.mark.parametrize(
    "inputs",
    [{}, {"command": "a", "argv": ["b"]}, {"argv": ["b"], "params": {}}, {"argv": [["a"]]}],
)
def test_commands_that_the_schema_refuses(inputs):
    assert list(Draft202012Validator(ACTIONS["command.run"].inputs).iter_errors(inputs))


def old(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x" * 500)
    os.utime(path, (1000, 1000))
    return path


def test_prune_says_what_it_did_and_what_it_would_destroy(step, tmp_path):
    path = old(tmp_path / "logs/a.gz")
    inputs = {"path": str(tmp_path / "logs"), "pattern": "*.gz", "older_than": "7d"}
    destroys = step.destroys("files.prune", **inputs)
    assert step.check("files.prune", **inputs) == "not_done"
    outputs = step.do("files.prune", **inputs)
    assert (outputs["count"], outputs["freed_bytes"]) == (1, 500)
    assert (outputs["trash"] is None) == destroys
    assert step.check("files.prune", **inputs) == "done"
    assert not path.exists()
    step.do("files.restore", **{"from": outputs["trash"]})
    assert path.exists() != destroys


def test_with_nothing_to_free_nothing_is_destroyed(step, tmp_path):
    (tmp_path / "logs").mkdir()
    inputs = {"path": str(tmp_path / "logs"), "pattern": "*.gz", "older_than": "7d"}
    assert not step.destroys("files.prune", **inputs)
    assert step.do("files.prune", **inputs) == {"freed_bytes": 0, "count": 0, "trash": None}
    assert step.do("files.restore", **{"from": None}) == {"count": 0, "kept": 0}


def test_a_service_by_its_name(step, tmp_path):
    pid_file = tmp_path / "w.pid"
    start = ["/bin/sh", "-c", f"sleep 1000 & echo $! > {pid_file}"]
    service = {"name": "w", "manager": "pidfile", "pid_file": str(pid_file), "start": start}
    step.agents = {"apps": {"services": [service]}}
    assert step.check("service.start", name="w") == "not_done"
    assert step.check("service.stop", name="w") == "done"
    assert step.check("service.restart", name="w") == "not_done"
    assert step.do("service.start", name="w") == {"changed": True}
    assert step.check("service.start", name="w") == "done"
    assert step.check("service.restart", name="w") == "unknown"
    assert step.do("service.stop", name="w") == {"changed": True}
    assert step.lines == ["w started", "w stopped"]


@pytest.mark.parametrize("verb", ["start", "stop", "restart"])
def test_services_that_content_does_not_declare_are_refused(step, verb):
    with pytest.raises(Refused, match="not declared"):
        step.do(f"service.{verb}", name="sshd")
    with pytest.raises(Refused, match="not declared"):
        step.check(f"service.{verb}", name="sshd")


@pytest.fixture
def sleeper():
    with subprocess.Popen(["/bin/sleep", "1000"]) as child:
        yield child
        child.kill()


def test_a_process_is_terminated(step, sleeper):
    pid = sleeper.pid
    assert step.destroys("process.terminate", pid=pid)
    assert step.check("process.terminate", pid=pid) == "not_done"
    with pytest.raises(ActionError, match="left alone"):
        step.do("process.terminate", pid=pid, name="nginx")
    assert step.do("process.terminate", pid=pid, grace="5s", name="sleep") == {"ended": True}
    assert step.check("process.terminate", pid=pid) == "done"
    assert step.do("process.terminate", pid=pid) == {"ended": True}


@pytest.mark.parametrize("size", ["500 MiB", 500 << 20])
def test_the_journal_is_vacuumed_or_there_is_none(step, size):
    assert step.do("journal.vacuum", max_size=size)["freed_bytes"] >= 0


def test_messages_go_through_the_context(step):
    step.do("notify.send", to="ops", text="failed")
    assert step.sent == [("ops", "failed")]


def test_a_logged_message_cannot_forge_a_line(caplog):
    with caplog.at_level("INFO", "wakil.notify"):
        log.log_notification("ops", "one\nERROR two\x1b[31m\u202e")
    assert caplog.messages == ["to ops: one\\nERROR two\\x1b[31m\\u202e"]
