import { describe, expect, it } from "vitest";
import type { PlannedStep, Run, Step } from "../../api/types";
import { outputsText } from "./outputs";
import { barOf, linesOf } from "./rows";

const step = (path: string, status: Step["status"], started: string, ended: string | null, attempt = 1): Step =>
  ({ path, name: path, phase: "steps", status, uses: "x", attempt, started, ended, inputs: {}, outputs: {}, error: null, log: "" }) as Step;
const planned = (path: string, phase: PlannedStep["phase"] = "steps"): PlannedStep => ({ path, name: "", phase, uses: "y", destructive: true });
const run = (status: Run["status"], steps: Step[], plan: PlannedStep[]): Run => ({ status, steps, plan }) as unknown as Run;

const A = step("steps.0", "succeeded", "2026-01-01T00:00:00Z", "2026-01-01T00:00:05Z");
const B = step("steps.1", "running", "2026-01-01T00:00:05Z", null);
const now = Date.parse("2026-01-01T00:00:10Z") / 1000;

describe("the timeline", () => {
  it("puts what is to come after what began, and only while the run goes on", () => {
    const plan = [planned("steps.0"), planned("steps.1"), planned("steps.2"), planned("on_failure.0", "on_failure"), planned("verify", "verify")];
    expect(linesOf(run("running", [A, B], plan)).map((line) => [line.path, line.status])).toEqual([
      ["steps.0", "succeeded"],
      ["steps.1", "running"],
      ["steps.2", "todo"],
      ["verify", "todo"],
    ]);
    expect(linesOf(run("failed", [A], plan))).toHaveLength(1);
  });
  it("calls a way back by the step that it takes back", () => {
    const undo = { ...step("steps.0.rollback", "succeeded", "2026-01-01T00:00:05Z", "2026-01-01T00:00:06Z"), name: "x", phase: "rollback" } as Step;
    const [, line] = linesOf(run("failed", [A, undo], [{ ...planned("steps.0"), name: "Prune old logs" }]));
    expect(line?.name).toBe("Prune old logs");
  });
  it("shows of retries the last attempt, in the first one's place", () => {
    const again = step("steps.0", "succeeded", "2026-01-01T00:00:06Z", "2026-01-01T00:00:07Z", 2);
    const lines = linesOf(run("succeeded", [step("steps.0", "failed", "2026-01-01T00:00:00Z", "2026-01-01T00:00:05Z"), again], []));
    expect(lines.map((line) => [line.path, line.step?.attempt])).toEqual([["steps.0", 2]]);
  });
  it("draws each step where it lies in the run", () => {
    const lines = linesOf(run("running", [A, B], []));
    expect(barOf(A, lines, now)).toEqual([0, 50]);
    expect(barOf(B, lines, now)).toEqual([50, 50]);
  });
  it("writes outputs on one line, bytes in binary units", () => {
    expect(outputsText({ files: 94, freed_bytes: 242_642_944, note: null }).replaceAll("\u00a0", " ")).toBe("files 94, freed 231 MiB");
  });
});
