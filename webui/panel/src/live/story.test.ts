import { describe, expect, it } from "vitest";
import type { Decision, Run, Step } from "../api/types";
import { plain } from "../words";
import { marked, marks, outcomeOfRun, placeOf, stories } from "./story";
import { tell } from "./tell";

const decision = (firing: string, kind: Decision["decision"], at: string, data = {}): Decision =>
  ({
    id: `${firing}-${kind}`,
    firing,
    decision: kind,
    at,
    rule: "disk-full",
    ruleset: "disk",
    key: { host: "web-1" },
    data,
    because: [],
    commit: null,
  }) as Decision;
const run = (over: Partial<Run>): Run =>
  ({
    id: "r",
    playbook: "clean",
    status: "succeeded",
    rule: "disk/disk-full",
    firing: null,
    host: "web-1",
    created: "2026-01-01T00:00:01Z",
    started: "2026-01-01T00:00:01Z",
    ended: "2026-01-01T00:00:05Z",
    error: null,
    reasons: [],
    requester: "rule:disk/disk-full",
    steps: [],
    ...over,
  }) as unknown as Run;

describe("what happened", () => {
  it("is one row a firing, with its run, newest first", () => {
    const rows = stories(
      [
        decision("f1", "alert", "2026-01-01T00:00:01Z"),
        decision("f1", "run", "2026-01-01T00:00:01Z"),
        decision("f2", "alert", "2026-01-01T00:01:00Z", { text: "full" }),
      ],
      [run({ firing: "f1" })],
    );
    expect(rows.map((row) => [row.id, row.outcome])).toEqual([
      ["f2", "raised"],
      ["f1", "verified"],
    ]);
    expect(plain(tell(rows[1]!))).toBe("Ran clean on web-1 after disk-full fired. It was done in 4\u00a0s.");
    expect(plain(tell(rows[0]!))).toBe("Raised an alert: full");
    const [queued] = stories([decision("f1", "run", "2026-01-01T00:00:01Z")], [run({ firing: "f1", status: "queued" })]);
    expect(plain(tell(queued!, true))).toBe("Will run clean on web-1 when automation is resumed.");
  });
  it("tells in a firing's own row how it ended", () => {
    const raised = decision("f1", "alert", "2026-01-01T00:00:01Z", { text: "full" });
    const ended = decision("f1", "resolve", "2026-01-01T00:02:01Z");
    const [healed, ...more] = stories([ended, raised], [run({ firing: "f1" })]);
    expect([healed?.at, healed?.outcome, more.length]).toEqual(["2026-01-01T00:00:01Z", "verified", 0]);
    const [itself] = stories([ended, raised], []);
    expect([itself?.at, itself?.outcome]).toEqual(["2026-01-01T00:00:01Z", "resolved"]);
    expect(plain(tell(itself!))).toBe("Raised an alert: full. It resolved after 2\u00a0min.");
  });
  it("has one row for a failed run and the alert that Wakil raises of it", () => {
    const raised = { ...decision("f9", "alert", "2026-01-01T00:00:06Z"), ruleset: "wakil", rule: "run-failed", key: { host: "web-1", playbook: "clean" } };
    const failed = run({ status: "failed", firing: "f1" });
    expect(stories([raised, decision("f1", "run", "2026-01-01T00:00:01Z")], [failed]).map((row) => row.id)).toEqual(["f1"]);
    expect(stories([raised], []).map((row) => row.id)).toEqual(["f9"]);
  });
  it("has a row for a resolve whose firing is no longer at hand, and for a run by hand", () => {
    const rows = stories([decision("f1", "resolve", "2026-01-01T00:02:00Z")], [run({ rule: null, requester: "user:omar" })]);
    expect(rows.map((row) => row.outcome)).toEqual(["resolved", "verified"]);
    expect(plain(tell(rows[0]!))).toBe("The condition of disk-full turned false on web-1; its alert is resolved.");
    expect(rows[1]?.person).toBe("omar");
    expect(plain(tell(rows[1]!))).toBe("Ran clean on web-1. It was done in 4\u00a0s. Asked for by omar.");
  });
});

describe("outcomes", () => {
  it("tell a failure that was taken back from one that was not", () => {
    const step = { path: "steps.0", phase: "steps", status: "rolled_back" } as Step;
    expect(outcomeOfRun(run({ status: "failed" }))).toBe("failed");
    expect(outcomeOfRun(run({ status: "failed", steps: [step] }))).toBe("rolledBack");
  });
  it("show how far the chain got", () => {
    expect(marks("verified")).toEqual(["on", "on", "on", "on", "on", "on"]);
    expect(marks("waiting").slice(4)).toEqual(["wait", "no"]);
    expect(marks("rolledBack").slice(4)).toEqual(["on", "bad"]);
  });
});

describe("evidence", () => {
  it("names the host first and leaves out what is empty", () => {
    expect(plain(placeOf({ mount: "/", host: "web-1", x: null }))).toBe("web-1 /");
    expect(placeOf(null, null)).toEqual([]);
  });
  it("is marked in a text only where it stands as a word", () => {
    expect(marked("/var on db-2 is full, not db-20 or /var/log", { host: "db-2", mount: "/var" })).toEqual([
      { code: "/var" },
      " on ",
      { code: "db-2" },
      " is full, not db-20 or /var/log",
    ]);
    expect(marked("a (b) c", { k: "(b" })).toEqual(["a ", { code: "(b" }, ") c"]);
  });
});
