import type { Phase, Run, Step, StepStatus } from "../../api/types";
import { epoch } from "../../format/time";

/** One line of the timeline: a step that began, or one still to come. */
export type Line = {
  path: string;
  name: string;
  phase: Phase;
  uses: string;
  status: StepStatus | "todo";
  destructive: boolean;
  step: Step | null;
};

const ENDED = new Set(["observed", "succeeded", "failed", "refused", "unknown"]);

/** Steps in the order they began, then what the playbook still holds; of retries the last attempt stands. */
export function linesOf(run: Run): Line[] {
  const plan = run.plan ?? [];
  const planned = new Map(plan.map((one) => [one.path, one]));
  const last = new Map<string, Step>();
  for (const step of run.steps ?? []) last.set(step.path, step);
  /** A way back without a name of its own goes by the step that it takes back. */
  const nameOf = (step: Step): string => {
    const own = step.name || planned.get(step.path)?.name || step.uses;
    const undone = planned.get(step.path.replace(/\.rollback$/, ""));
    return step.phase === "rollback" && own === step.uses && undone?.name ? undone.name : own;
  };
  const begun: Line[] = [...last.values()].map((step) => ({
    path: step.path,
    name: nameOf(step),
    phase: step.phase,
    uses: step.uses,
    status: step.status,
    destructive: planned.get(step.path)?.destructive ?? false,
    step,
  }));
  if (ENDED.has(run.status)) return begun;
  const todo: Line[] = plan
    .filter((one) => !last.has(one.path) && (one.phase === "steps" || one.phase === "verify"))
    .map((one) => ({ ...one, name: one.name || one.uses, status: "todo", step: null }));
  return [...begun, ...todo];
}

/** Where a step lies in the whole run, in percent of its span: start and width. */
export function barOf(step: Step, lines: Line[], now: number): [number, number] {
  const begun = lines.flatMap((line) => (line.step ? [line.step] : []));
  const start = Math.min(...begun.map((one) => epoch(one.started)));
  const end = Math.max(...begun.map((one) => (one.ended ? epoch(one.ended) : now)), start + 0.001);
  const whole = end - start;
  const left = ((epoch(step.started) - start) / whole) * 100;
  const width = (((step.ended ? epoch(step.ended) : now) - epoch(step.started)) / whole) * 100;
  return [Math.max(0, left), Math.max(1, Math.min(100 - left, width))];
}
