import type { Socket } from "socket.io-client";
import type { Agent, Alert, Approval, Automation, ContentEvent, Decision, Metrics, Run } from "../api/types";
import { dispatch, load, loadStatus, now } from "./store";

/** How long counts may lag behind an event that does not carry them. */
const SETTLE_MS = 400;
/** Timers, record and schedules move without an event. */
const POLL_MS = 15_000;
const RETRY_MS = 3_000;

let socket: Socket | null = null;
let settle: ReturnType<typeof setTimeout> | undefined;
let poll: ReturnType<typeof setInterval> | undefined;
let retry: ReturnType<typeof setTimeout> | undefined;

const quiet = (): void => undefined;

function countsSoon(): void {
  clearTimeout(settle);
  // A failed refresh shows as the lost connection it is; the next event or poll asks again.
  settle = setTimeout(() => void loadStatus().catch(quiet), SETTLE_MS);
}

/** Connect to namespace /system and keep the store true until `disconnect`. */
export async function connect(): Promise<void> {
  const { io } = await import("socket.io-client");
  if (socket) return;
  socket = io("/system", { transports: ["websocket", "polling"], reconnectionDelayMax: 5000 });
  socket.on("connect", () => {
    dispatch({ type: "connection", connection: "live", at: now() });
    // What happened before the line was up, the first time too, has to be asked for.
    void load().catch(quiet);
  });
  const lost = (): void => {
    dispatch({ type: "connection", connection: "offline", at: now() });
    // Where the server itself ended or refused the line, the client does not try again alone.
    clearTimeout(retry);
    if (socket && !socket.active) retry = setTimeout(() => socket?.connect(), RETRY_MS);
  };
  socket.on("disconnect", lost);
  socket.on("connect_error", () => {
    lost();
    // Refused because the session ended? Then this answers 401, and the sign-in page says why.
    void loadStatus().catch(quiet);
  });
  socket.on("agent", (agent: Agent) => {
    dispatch({ type: "agent", agent });
    countsSoon();
  });
  socket.on("alert", (alert: Alert) => {
    dispatch({ type: "alert", alert });
    countsSoon();
  });
  socket.on("metrics", (metrics: Metrics) => dispatch({ type: "metrics", metrics }));
  socket.on("decision", (decision: Decision) => {
    dispatch({ type: "decision", decision });
    countsSoon();
  });
  socket.on("run", (run: Run) => {
    dispatch({ type: "run", run });
    countsSoon();
  });
  socket.on("approval", (approval: Approval) => {
    dispatch({ type: "approval", approval });
    countsSoon();
  });
  socket.on("automation", (automation: Automation) => dispatch({ type: "automation", automation }));
  socket.on("content", (content: ContentEvent) => {
    dispatch({ type: "content", content });
    countsSoon();
  });
  poll = setInterval(() => void loadStatus().catch(quiet), POLL_MS);
}

/** Ask at once instead of waiting for the next attempt. */
export function reconnectNow(): void {
  socket?.disconnect().connect();
}

export function disconnect(): void {
  clearTimeout(settle);
  clearTimeout(retry);
  clearInterval(poll);
  socket?.removeAllListeners();
  socket?.disconnect();
  socket = null;
}
