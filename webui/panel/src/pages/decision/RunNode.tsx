import type { Firing, Run, Step } from "../../api/types";
import type { IconName } from "../../components/Icon";
import { Link } from "../../components/Link";
import { Status, type Tone } from "../../components/Status";
import { Code, Say, Time } from "../../components/Text";
import { epoch, span } from "../../format/time";
import { outcomeOfRun } from "../../live/story";
import { words } from "../../words";
import { outputsText } from "../run/outputs";
import { Node } from "./Chain";

const LOOK: Record<Step["status"], [IconName, Tone]> = {
  running: ["run", "wakil"],
  waiting: ["hand", "you"],
  succeeded: ["check", "wakil"],
  failed: ["x", "crit"],
  skipped: ["chev", ""],
  rolled_back: ["undo", "warn"],
  unknown: ["warn", "warn"],
};

function StepLine({ step }: { step: Step }) {
  const [icon, tone] = LOOK[step.status];
  const took = step.ended && step.status !== "skipped" ? span(epoch(step.ended) - epoch(step.started)) : "";
  const note = step.error ?? outputsText(step.outputs);
  return (
    <li className={step.status === "skipped" ? "idle" : ""}>
      <Status icon={icon} tone={tone}>
        {words.run.stepState[step.status]}
      </Status>
      <span>{["guard", "verify", "rollback"].includes(step.phase) ? words.run.phase[step.phase] : step.name || step.uses}</span>
      <span className="t2">{[took, note].filter(Boolean).join(", ")}</span>
    </li>
  );
}

function title(run: Run) {
  const steps = (run.steps ?? []).filter((step) => step.phase === "steps" || step.phase === "verify");
  const done = steps.filter((step) => step.status === "succeeded").length;
  return (
    <>
      <Link to={`/runs/${run.id}`}>
        <Code>{run.playbook}</Code>
      </Link>{" "}
      {words.decision.runDid(done, steps.length, steps.filter((step) => step.status === "skipped").length)}
    </>
  );
}

export function RunNode({ firing }: { firing: Firing }) {
  const said = words.decision;
  const run = firing.runs.at(-1);
  if (!run) {
    return (
      <Node step={5} icon="run" name={words.chainMark.run} at="–" tone="off" stop title={said.noRun}>
        <p className="t2">{said.noRunBody}</p>
      </Node>
    );
  }
  const outcome = outcomeOfRun(run);
  const started = run.started ?? run.created;
  const took = run.ended ? span(epoch(run.ended) - epoch(started)) : undefined;
  const off = outcome === "held" || outcome === "observed" || outcome === "queued";
  return (
    <Node
      step={5}
      icon="run"
      name={words.chainMark.run}
      at={<Time at={started} seconds />}
      after={took}
      tone={outcome === "failed" ? "bad" : off ? "off" : ""}
      stop={outcome !== "verified"}
      title={title(run)}
    >
      {run.reasons.length > 0 && <p className="t2">{run.reasons.join("; ")}</p>}
      {(run.steps ?? []).length > 0 && (
        <ul className="cond">
          {run.steps.map((step) => (
            <StepLine key={`${step.path}-${step.attempt}`} step={step} />
          ))}
        </ul>
      )}
      {firing.runs.length > 1 && (
        <p className="small">
          {firing.runs.slice(0, -1).map((other) => (
            <Link key={other.id} to={`/runs/${other.id}`}>
              <Say of={[{ code: other.id }]} />{" "}
            </Link>
          ))}
        </p>
      )}
    </Node>
  );
}
