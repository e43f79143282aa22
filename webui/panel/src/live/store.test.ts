import { expect, it, vi } from "vitest";
import type { Run } from "../api/types";
import { current, dispatch, load } from "./store";

const run = (status: Run["status"]): Run => ({ id: "r", status }) as Run;
const status = { now: "2026-01-01T00:00:00Z", hosts: [], agents: [] };

it("does not lose what arrives while the answers are on their way", async () => {
  // The answers were given before the run ended, and come after the event that says so.
  const answers: Record<string, unknown> = { "/api/v1/system/status": status, "/api/v1/runs?limit=40": { items: [run("running")] } };
  vi.stubGlobal("fetch", (path: string) => {
    dispatch({ type: "run", run: run("succeeded") });
    return Promise.resolve(new Response(JSON.stringify(answers[path] ?? { items: [] })));
  });
  await load();
  vi.unstubAllGlobals();
  expect(current().loaded).toBe(true);
  expect(current().runs.map((one) => one.status)).toEqual(["succeeded"]);
});
