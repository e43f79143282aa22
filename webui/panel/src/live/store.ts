import { useSyncExternalStore } from "react";
import { get } from "../api/client";
import type { Alert, Approval, Decision, Page, Run, Status } from "../api/types";
import { EMPTY, reduce, type Event, type Live } from "./state";

/** The one store of the panel: events go in, pages read. */
let state: Live = EMPTY;
const listeners = new Set<() => void>();
const taps = new Set<(event: Event) => void>();

/** Events that are answers themselves, or of this browser alone. */
const SNAPSHOTS = new Set<Event["type"]>(["loaded", "status", "connection"]);

export const now = (): number => Date.now() / 1000;

export function dispatch(event: Event): void {
  state = reduce(state, event);
  for (const listener of listeners) listener();
  for (const tap of taps) tap(event);
}

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Hear each event itself, after the state has taken it. */
export function onEvent(tap: (event: Event) => void): () => void {
  taps.add(tap);
  return () => taps.delete(tap);
}

export const current = (): Live => state;
export const useLive = (): Live => useSyncExternalStore(subscribe, current);

/** Everything the frame and the Overview need, in one round; throws a Problem. */
export async function load(): Promise<void> {
  // What arrives while the answers are on their way may be newer than they are: it is said again after them.
  const meanwhile: Event[] = [];
  const stop = onEvent((event) => {
    if (!SNAPSHOTS.has(event.type)) meanwhile.push(event);
  });
  const [status, alerts, approvals, decisions, runs] = await Promise.all([
    get<Status>("/system/status"),
    get<Page<Alert>>("/alerts?limit=100"),
    get<Page<Approval>>("/approvals?status=waiting"),
    get<Page<Decision>>("/decisions?limit=60"),
    get<Page<Run>>("/runs?limit=40"),
  ]).finally(stop);
  dispatch({
    type: "loaded",
    status,
    alerts: alerts.items,
    approvals: approvals.items,
    decisions: decisions.items,
    runs: runs.items,
    at: now(),
  });
  for (const event of meanwhile) dispatch(event);
}

export async function loadStatus(): Promise<void> {
  dispatch({ type: "status", status: await get<Status>("/system/status"), at: now() });
}

/** Signed out: nothing of the last session stays. */
export function forget(): void {
  state = EMPTY;
  for (const listener of listeners) listener();
}
