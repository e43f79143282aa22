"""The playbooks of testdata/playbooks under the real program, and how tests look at their runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.wakil import RunningWakil, until, write_files

ENDED = {"succeeded", "failed", "refused", "unknown", "observed"}
CONTENT = Path(__file__).parent.parent / "testdata" / "playbooks"
"""`LOG` in it is a file that the playbooks write to."""


def site(place: Path) -> RunningWakil:
    """Wakil with those playbooks beneath `place`, not started yet; they write to `place/log`."""
    off = "".join(f"  {name}: {{enabled: false}}\n" for name in ("performance", "apps", "logs"))
    log = str(place / "log")
    files = {
        str(path.relative_to(CONTENT)): path.read_text().replace("LOG", log)
        for path in CONTENT.rglob("*.yaml")
    }
    files["configs/agents.yaml"] = f"agents:\n{off}"
    files["configs/wakil.yaml"] = "server: {host_name: box}\n"
    content = write_files(place / "content", files)
    return RunningWakil(content, place / "data")


def start(wakil: RunningWakil, playbook: str, **inputs: Any) -> dict[str, Any]:
    with wakil.client() as client:
        answer = client.post(f"/api/v1/playbooks/{playbook}/run", json={"inputs": inputs})
    assert answer.status_code == 202, answer.text
    return answer.json()


def ended(wakil: RunningWakil, run: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = wakil.get(f"/runs/{run}")
        return found if found["status"] in ENDED else None

    return until(look, what=f"the run {run} to end")


def play(wakil: RunningWakil, playbook: str, **inputs: Any) -> dict[str, Any]:
    return ended(wakil, start(wakil, playbook, **inputs)["id"])


def steps_of(run: dict[str, Any], phase: str = "steps") -> list[dict[str, Any]]:
    return [step for step in run["steps"] if step["phase"] == phase]


def words(run: dict[str, Any], phase: str = "steps") -> list[tuple[str, str]]:
    return [(step["name"], step["status"]) for step in steps_of(run, phase)]


def lines(place: Path, suffix: str) -> list[str]:
    found = place / f"log{suffix}"
    return found.read_text().splitlines() if found.exists() else []


def post_disk(wakil: RunningWakil, mount: str, used: float) -> None:
    wakil.post("/facts", {"kind": "disk", "data": {"mount": mount, "used_percent": used}})


def run_of_rule(wakil: RunningWakil, rule: str, wanted: Callable[[Any], bool]) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = [run for run in wakil.get("/runs")["items"] if run["rule"] == rule]
        return found[0] if found and wanted(found[0]) else None

    return until(look, what=f"a run of {rule}")


def question(wakil: RunningWakil, run: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = wakil.get("/approvals", status="waiting")["items"]
        return next((each for each in found if each["run"] == run), None)

    return until(look, what=f"a question of {run}")
