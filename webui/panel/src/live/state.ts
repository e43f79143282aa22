import type { Agent, Alert, Approval, ContentEvent, Decision, Metrics, Run, Status } from "../api/types";

/** What the panel knows at this moment, and how it learned it. Pure: see state.test.ts. */

export type Connection = "connecting" | "live" | "offline";

export type Live = {
  status: Status | null;
  alerts: Alert[];
  approvals: Approval[];
  decisions: Decision[];
  runs: Run[];
  connection: Connection;
  /** When the connection was lost; epoch seconds of this browser. */
  lostAt: number | null;
  /** Server clock minus browser clock, in seconds. */
  offset: number;
  loaded: boolean;
};

export type Event =
  | { type: "loaded"; status: Status; alerts: Alert[]; approvals: Approval[]; decisions: Decision[]; runs: Run[]; at: number }
  | { type: "status"; status: Status; at: number }
  | { type: "automation"; automation: Status["automation"] }
  | { type: "agent"; agent: Agent }
  | { type: "alert"; alert: Alert }
  | { type: "metrics"; metrics: Metrics }
  | { type: "decision"; decision: Decision }
  | { type: "run"; run: Run }
  | { type: "approval"; approval: Approval }
  | { type: "content"; content: ContentEvent }
  | { type: "connection"; connection: Connection; at: number };

export const EMPTY: Live = {
  status: null,
  alerts: [],
  approvals: [],
  decisions: [],
  runs: [],
  connection: "connecting",
  lostAt: null,
  offset: 0,
  loaded: false,
};

const KEEP = 200;
const HISTORY = 60;

/** The list with `item` in its place (same id), or first where it is new. */
function place<T extends { id: string }>(items: T[], item: T): T[] {
  const at = items.findIndex((other) => other.id === item.id);
  if (at < 0) return [item, ...items].slice(0, KEEP);
  return items.map((other, index) => (index === at ? { ...other, ...item } : other));
}

const offsetOf = (status: Status, at: number): number => Date.parse(status.now) / 1000 - at;

function measured(status: Status, metrics: Metrics): Status {
  const now = new Map(metrics.hosts.map((host) => [host.name, host]));
  const at = Date.parse(metrics.at) / 1000;
  const known = new Set(status.hosts.map((host) => host.name));
  const fresh = metrics.hosts.filter((host) => !known.has(host.name)).map((host) => ({ ...host, labels: {}, cpu_history: [], memory_history: [] }));
  const hosts = [...status.hosts, ...fresh].map((host) => {
    const seen = now.get(host.name);
    if (!seen) return host;
    const grown = (history: [number, number | null][], value: number | null): [number, number | null][] => {
      const last = history.at(-1);
      // The history has a point a minute; what arrives in between only moves the value beside it.
      return last && at - last[0] < 60 ? history : [...history, [at, value] as [number, number | null]].slice(-HISTORY);
    };
    return { ...host, ...seen, cpu_history: grown(host.cpu_history, seen.cpu), memory_history: grown(host.memory_history, seen.memory) };
  });
  const newest = metrics.hosts.reduce<string | null>(
    (best, host) => (host.last_fact && (!best || host.last_fact > best) ? host.last_fact : best),
    status.last_fact,
  );
  return { ...status, hosts, last_fact: newest };
}

/** The state after one event. */
export function reduce(state: Live, event: Event): Live {
  const { status } = state;
  switch (event.type) {
    case "loaded":
      return {
        ...state,
        status: event.status,
        alerts: event.alerts,
        approvals: event.approvals,
        decisions: event.decisions,
        runs: event.runs,
        offset: offsetOf(event.status, event.at),
        loaded: true,
      };
    case "status":
      return { ...state, status: event.status, offset: offsetOf(event.status, event.at) };
    case "automation":
      return status ? { ...state, status: { ...status, automation: event.automation } } : state;
    case "agent":
      return status ? { ...state, status: { ...status, agents: placeLast(status.agents, event.agent) } } : state;
    case "alert":
      return { ...state, alerts: place(state.alerts, event.alert) };
    case "metrics":
      return status ? { ...state, status: measured(status, event.metrics) } : state;
    case "decision":
      return { ...state, decisions: place(state.decisions, event.decision) };
    case "run":
      return { ...state, runs: place(state.runs, event.run) };
    case "approval":
      return { ...state, approvals: place(state.approvals, event.approval).filter((one) => one.status === "waiting") };
    case "content":
      return status ? { ...state, status: { ...status, content: { ...status.content, problems: event.content.problems } } } : state;
    case "connection":
      return {
        ...state,
        connection: event.connection,
        lostAt: event.connection === "offline" ? (state.lostAt ?? event.at) : null,
      };
  }
}

/** Agents keep their place; a new one comes last. */
function placeLast(agents: Agent[], agent: Agent): Agent[] {
  return agents.some((one) => one.id === agent.id) ? agents.map((one) => (one.id === agent.id ? { ...one, ...agent } : one)) : [...agents, agent];
}

export const openAlerts = (state: Live): Alert[] => state.alerts.filter((alert) => alert.status === "open");
export const waitingRuns = (state: Live): Approval[] => state.approvals.filter((one) => one.status === "waiting");
