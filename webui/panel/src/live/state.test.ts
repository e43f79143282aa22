import { describe, expect, it } from "vitest";
import type { Alert, Approval, Host, Run, Status } from "../api/types";
import { EMPTY, openAlerts, reduce, waitingRuns, type Live } from "./state";

const host: Host = {
  name: "web-1",
  state: "well",
  cpu: 10,
  memory: 20,
  disk: null,
  last_fact: "2026-11-24T11:00:00Z",
  labels: { role: "web" },
  cpu_history: [[1_796_000_000, 9]],
  memory_history: [],
};
const status = {
  now: "2026-11-24T11:00:00Z",
  last_fact: "2026-11-24T11:00:00Z",
  hosts: [host],
  agents: [],
  automation: { mode: "auto", paused: false, by: null, at: null, reason: null },
  content: { root: "/srv", commit: "a", problems: [], loaded_at: null },
} as unknown as Status;
const alert = (id: string, over: Partial<Alert> = {}): Alert => ({ id, status: "open", text: id, ...over }) as Alert;
const approval = (id: string, state: Approval["status"]): Approval => ({ id, status: state }) as Approval;
const browser = Date.parse("2026-11-24T10:59:58Z") / 1000;
const loaded: Live = reduce(EMPTY, {
  type: "loaded",
  status,
  alerts: [alert("a")],
  approvals: [approval("p", "waiting")],
  decisions: [],
  runs: [],
  at: browser,
});

describe("the state of the panel", () => {
  it("learns the server's clock from a status", () => {
    expect(loaded.offset).toBe(2);
    expect(loaded.loaded).toBe(true);
  });
  it("changes an alert in its place and puts a new one first", () => {
    const next = reduce(reduce(loaded, { type: "alert", alert: alert("b") }), { type: "alert", alert: alert("a", { status: "acknowledged" }) });
    expect(next.alerts.map((one) => [one.id, one.status])).toEqual([
      ["b", "open"],
      ["a", "acknowledged"],
    ]);
    expect(openAlerts(next).map((one) => one.id)).toEqual(["b"]);
  });
  it("lets go of an approval once it is answered", () => {
    expect(waitingRuns(loaded)).toHaveLength(1);
    expect(waitingRuns(reduce(loaded, { type: "approval", approval: approval("p", "approved") }))).toEqual([]);
  });
  it("keeps what a run's event does not carry", () => {
    const known = reduce(loaded, { type: "run", run: { id: "r", status: "running", playbook: "x" } as Run });
    const next = reduce(known, { type: "run", run: { id: "r", status: "succeeded" } as Run });
    expect(next.runs[0]).toMatchObject({ playbook: "x", status: "succeeded" });
  });
  it("moves a host's values at once and its history once a minute, and admits new hosts", () => {
    const at = 1_796_000_000;
    const seen = { ...host, cpu: 50, memory: 21, last_fact: "2026-11-24T11:00:05Z" };
    const soon = reduce(loaded, { type: "metrics", metrics: { at: new Date((at + 5) * 1000).toISOString(), hosts: [seen] } });
    expect(soon.status?.hosts[0]?.cpu).toBe(50);
    expect(soon.status?.hosts[0]?.cpu_history).toHaveLength(1);
    expect(soon.status?.last_fact).toBe("2026-11-24T11:00:05Z");
    const later = reduce(soon, {
      type: "metrics",
      metrics: { at: new Date((at + 60) * 1000).toISOString(), hosts: [seen, { ...seen, name: "new" }] },
    });
    expect(later.status?.hosts[0]?.cpu_history).toHaveLength(2);
    expect(later.status?.hosts.map((one) => one.name)).toEqual(["web-1", "new"]);
  });
  it("remembers when the connection was first lost, until it is back", () => {
    const lost = reduce(loaded, { type: "connection", connection: "offline", at: 100 });
    const still = reduce(lost, { type: "connection", connection: "offline", at: 130 });
    expect(still.lostAt).toBe(100);
    expect(reduce(still, { type: "connection", connection: "live", at: 140 }).lostAt).toBeNull();
  });
});
