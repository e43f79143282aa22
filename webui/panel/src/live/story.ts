import type { Decision, Fields, Firing, Run } from "../api/types";
import { code, type Rich } from "../words";

/** One row of "what happened": a firing with what followed, or a run that a person started. */
export type Outcome =
  "verified" | "failed" | "rolledBack" | "held" | "observed" | "waiting" | "running" | "queued" | "unknown" | "raised" | "resolved" | "applied";

export type Mark = "on" | "wait" | "bad" | "held" | "no";
/** Fact, condition, rule, decision, run, outcome: how far it got and where it stopped. */
export type Marks = [Mark, Mark, Mark, Mark, Mark, Mark];

export type Story = {
  id: string;
  at: string;
  /** null is Wakil itself. */
  person: string | null;
  decisions: Decision[];
  run: Run | null;
  outcome: Outcome;
};

const BY_STATUS: Record<Run["status"], Outcome> = {
  queued: "queued",
  running: "running",
  waiting: "waiting",
  observed: "observed",
  succeeded: "verified",
  failed: "failed",
  refused: "held",
  unknown: "unknown",
};

export function outcomeOfRun(run: Run): Outcome {
  const undone = (run.steps ?? []).some((step) => step.status === "rolled_back" || (step.phase === "rollback" && step.status === "succeeded"));
  return run.status === "failed" && undone ? "rolledBack" : BY_STATUS[run.status];
}

/** What became of a firing that started no run. */
export function outcomeOfDecisions(decisions: Decision[], resolved: boolean): Outcome {
  if (resolved || decisions.some((one) => one.decision === "resolve")) return "resolved";
  return decisions.some((one) => one.decision === "alert") ? "raised" : "applied";
}

export function outcomeOfFiring(firing: Firing): Outcome {
  const run = firing.runs.at(-1);
  if (run) return outcomeOfRun(run);
  return outcomeOfDecisions(firing.decisions, firing.resolved !== null);
}

export function marks(outcome: Outcome): Marks {
  const tail: Record<Outcome, [Mark, Mark]> = {
    verified: ["on", "on"],
    failed: ["bad", "no"],
    rolledBack: ["on", "bad"],
    held: ["held", "no"],
    observed: ["no", "no"],
    waiting: ["wait", "no"],
    running: ["on", "no"],
    queued: ["no", "no"],
    unknown: ["on", "held"],
    raised: ["no", "no"],
    resolved: ["no", "on"],
    applied: ["no", "no"],
  };
  return ["on", "on", "on", "on", ...tail[outcome]];
}

/** The name of somebody who acted (`user:NAME`, `token:NAME`). */
export const nameOf = (who: string): string => who.replace(/^(user|token):/, "");

/** The person who asked for a run, or null where a rule did. */
export function personOf(run: Run): string | null {
  return /^(user|token):/.test(run.requester) ? nameOf(run.requester) : null;
}

/** When a row began: its firing's first decision; of what ended it only where nothing else is at hand. */
const began = (group: Decision[]): string => {
  const made = group.filter((one) => one.decision !== "resolve");
  return (made.length > 0 ? made : group).map((one) => one.at).reduce((a, b) => (a < b ? a : b));
};

/** The alert that Wakil itself raises of a run that did not succeed: that run's row says it already. */
function repeats(group: Decision[], runs: Run[]): boolean {
  const first = group[0];
  if (first?.ruleset !== "wakil" || first.rule !== "run-failed") return false;
  return runs.some((run) => ["failed", "unknown"].includes(run.status) && run.playbook === first.key["playbook"] && run.host === first.key["host"]);
}

/** Firings and hand-started runs as rows, newest first. How a firing ended stands in its own row. */
export function stories(decisions: Decision[], runs: Run[]): Story[] {
  const firings = new Map<string, Decision[]>();
  for (const one of decisions) firings.set(one.firing, [...(firings.get(one.firing) ?? []), one]);
  const runOf = new Map(runs.filter((run) => run.firing).map((run) => [run.firing as string, run]));
  const rows: Story[] = [];
  for (const [id, group] of firings) {
    if (repeats(group, runs)) continue;
    const run = runOf.get(id) ?? null;
    rows.push({ id, at: began(group), person: null, decisions: group, run, outcome: run ? outcomeOfRun(run) : outcomeOfDecisions(group, false) });
  }
  for (const run of runs) {
    if (run.firing && firings.has(run.firing)) continue;
    rows.push({ id: run.id, at: run.created, person: personOf(run), decisions: [], run, outcome: outcomeOfRun(run) });
  }
  return rows.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
}

/** A key's values as evidence, the host first: `web-1` `/var`. */
export function placeOf(key: Fields | null | undefined, host: string | null = null): Rich {
  const named = key && typeof key["host"] === "string" ? key["host"] : host;
  const rest = Object.entries(key ?? {})
    .filter(([name, value]) => name !== "host" && value !== null && value !== "")
    .map(([, value]) => (typeof value === "string" ? value : JSON.stringify(value)));
  const values = [...(named ? [named] : []), ...rest];
  return values.flatMap((value, index) => (index ? [" ", code(value)] : [code(value)]));
}

/** A text that a rule made, with the values of its key marked as the evidence they are. */
export function marked(text: string, key: Fields): Rich {
  const values = Object.values(key)
    .filter((value): value is string => typeof value === "string" && value.length > 0)
    .sort((a, b) => b.length - a.length);
  if (values.length === 0) return [text];
  const any = values.map((value) => value.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  const whole = new RegExp(`(?<![^\\s"“‘(])(${any})(?![^\\s"”’),.:;?!])`, "g");
  return text.split(whole).flatMap((part, index): Rich => (index % 2 ? [code(part)] : part ? [part] : []));
}
