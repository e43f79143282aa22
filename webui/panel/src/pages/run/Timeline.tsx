import type { Run } from "../../api/types";
import { Icon, type IconName } from "../../components/Icon";
import { Blank, Sheet } from "../../components/Sheet";
import { Code, Time, Value } from "../../components/Text";
import { countdown, epoch, span } from "../../format/time";
import { useNow } from "../../live/hooks";
import { words } from "../../words";
import { outputsText } from "./outputs";
import { barOf, linesOf, type Line } from "./rows";

const LOOK: Record<Exclude<Line["status"], "todo">, [IconName, string]> = {
  running: ["run", "going"],
  waiting: ["hand", "wait"],
  succeeded: ["check", "done"],
  failed: ["x", "failed"],
  skipped: ["chev", "todo"],
  rolled_back: ["undo", "back"],
  unknown: ["warn", "back"],
};

function title(line: Line): string {
  if (line.phase === "guard") return words.run.phase.guard;
  if (line.phase === "steps") return line.name;
  return line.name && line.name !== line.uses && line.name.toLowerCase() !== line.phase
    ? `${words.run.phase[line.phase]}: ${line.name}`
    : words.run.phase[line.phase];
}

function Note({ line, lapses }: { line: Line; lapses: string | null }) {
  const { step } = line;
  const said = step?.error ?? (step ? outputsText(step.outputs) : "");
  return (
    <div className={`${line.status === "todo" ? "t3" : "t2"} small note`}>
      {line.uses && line.status !== "waiting" && <Code>{line.uses}</Code>} {said}
      {step && step.attempt > 1 && ` · ${words.run.attempt(step.attempt)}`}
      {line.status !== "succeeded" &&
        line.status !== "todo" &&
        line.status !== "waiting" &&
        line.status !== "failed" &&
        ` · ${words.run.stepState[line.status]}`}
      {line.destructive && line.status === "todo" && ` · ${words.run.destructive}`}
      {line.status === "waiting" && step && (
        <>
          {words.run.asked}
          <Time at={step.started} seconds />
          {lapses && (
            <>
              {words.run.lapses}
              <Time at={lapses} seconds />
            </>
          )}
        </>
      )}
    </div>
  );
}

function Row({ line, index, lines, lapses }: { line: Line; index: number; lines: Line[]; lapses: string | null }) {
  const now = useNow();
  const { step } = line;
  const active = line.status === "running" || line.status === "waiting";
  const [icon, tone] = line.status === "todo" ? [null, "todo"] : LOOK[line.status];
  const [left, width] = step ? barOf(step, lines, now) : [0, 0];
  const spent = step ? (step.ended ? epoch(step.ended) : now) - epoch(step.started) : 0;
  return (
    <li className={active ? "now" : ""} aria-current={active ? "step" : undefined}>
      <span className={`no ${tone}`}>{icon ? <Icon name={icon} /> : index + 1}</span>
      <div>
        <div className={`ttl ${line.status === "todo" || line.status === "skipped" ? "t2" : ""}`}>
          <span className="vh">{words.run.stepState[line.status]}: </span>
          {title(line)}
        </div>
        <Note line={line} lapses={lapses} />
      </div>
      <span className={`end ${active ? "strong" : "t2"}`}>
        {step && line.status !== "skipped" && <Value>{active ? countdown(Math.floor(spent)) : span(spent)}</Value>}
      </span>
      {step && line.status !== "skipped" ? (
        <div className="gantt" aria-hidden="true">
          <span
            className={line.status === "waiting" ? "wait" : line.status === "failed" ? "bad" : ""}
            style={{ insetInlineStart: `${left}%`, inlineSize: `${width}%` }}
          />
        </div>
      ) : (
        <span />
      )}
    </li>
  );
}

/** What was done, what is under way, what is to come. */
export function Timeline({ run }: { run: Run }) {
  const lines = linesOf(run);
  const lapses = run.approvals?.find((one) => one.status === "waiting")?.expires ?? null;
  const now = lines.filter((line) => line.status === "running" || line.status === "waiting").length;
  const todo = lines.filter((line) => line.status === "todo").length;
  const failed = lines.filter((line) => line.status === "failed" || line.status === "unknown").length;
  const done = lines.length - now - todo - failed;
  return (
    <Sheet id="timeline" title={words.run.timeline} note={lines.length > 0 ? words.run.counts(done, failed, now, todo) : undefined}>
      {lines.length === 0 ? (
        <Blank icon="runs" title={words.run.noSteps} body={words.run.noStepsBody} />
      ) : (
        <ol className="steps">
          {lines.map((line, index) => (
            <Row key={line.path} line={line} index={index} lines={lines} lapses={lapses} />
          ))}
        </ol>
      )}
    </Sheet>
  );
}
