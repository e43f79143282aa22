"""The `wakil` command. Exit codes: 0 good, 1 findings or failure, 2 usage."""

from __future__ import annotations

import importlib
import sys
from typing import Final

import click

from engine.cli.output import show_lines
from engine.core.errors import WakilError

_COMMANDS: Final[dict[str, tuple[str, str]]] = {
    # name: (module, one line of help); modules are imported when their command is called.
    "run": ("engine.cli.server", "Start Wakil: panel, API, agents, rules, playbooks."),
    "init": ("engine.cli.content", "Make a content repository to start from."),
    "check": ("engine.cli.content", "Check content; every problem with file, line and column."),
    "test": ("engine.cli.content", "Run the rule tests of policies/tests/."),
    "simulate": ("engine.cli.content", "Decisions that recorded facts would have led to."),
    "explain": ("engine.cli.explain", "Tell a decision's or a run's whole story."),
    "facts": ("engine.cli.watch", "Facts as they came, newest first."),
    "runs": ("engine.cli.watch", "Runs of playbooks, newest first."),
    "alerts": ("engine.cli.watch", "Alerts, newest first."),
    "agents": ("engine.cli.watch", "Agents and how they are."),
    "play": ("engine.cli.act", "Run a playbook by hand."),
    "approve": ("engine.cli.act", "Say yes to what waits for an answer."),
    "reject": ("engine.cli.act", "Say no to what waits for an answer."),
    "pause": ("engine.cli.act", "Stop automation: nothing new begins until it is resumed."),
    "resume": ("engine.cli.act", "Let automation act again."),
    "token": ("engine.cli.people", "Make tokens for the API."),
    "user": ("engine.cli.people", "Add people who may sign in."),
    "doctor": ("engine.cli.doctor", "What is wrong with this installation, and how to mend it."),
    "audit": ("engine.cli.people", "Check the audit trail."),
}


class _Commands(click.Group):
    """Loads a command's module only when it is asked for: `wakil check` starts no database."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = getattr(importlib.import_module(_COMMANDS[cmd_name][0]), cmd_name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="wakil", message="%(version)s")
def wakil() -> None:
    """The deputy that runs your servers by the rules you wrote down."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the `wakil` script."""
    try:
        # Without its standalone mode click gives back the status of an `Exit` as a value.
        sys.exit(wakil(args=arguments, standalone_mode=False) or 0)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except WakilError as error:
        show_lines(str(error), err=True)
        sys.exit(1)
    except BrokenPipeError:
        # Whoever read our output has had enough (`wakil facts | head`).
        sys.stderr.close()
        sys.exit(1)
