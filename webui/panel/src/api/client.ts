import type { Session } from "./types";

/** An answer that is not the one asked for: an RFC 9457 problem, or no answer at all (status 0). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string,
    readonly request: string | null = null,
  ) {
    super(title);
  }
}

let csrf = "";
let signedOut: () => void = () => undefined;

/** Called once by the session: what to do when the server no longer knows us. */
export function onSignedOut(handler: () => void): void {
  signedOut = handler;
}

export function rememberCsrf(session: Session | null): void {
  csrf = session?.csrf ?? "";
}

async function problemOf(response: Response): Promise<Problem> {
  const request = response.headers.get("x-request-id");
  const body: unknown = await response.json().catch(() => null);
  const text = (name: string): string => {
    const value = body && typeof body === "object" ? (body as Record<string, unknown>)[name] : undefined;
    return typeof value === "string" ? value : "";
  };
  return new Problem(response.status, text("code"), text("title"), text("detail"), request);
}

async function call<T>(method: string, path: string, body?: unknown, open = false): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRF-Token"] = csrf;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const init: RequestInit = { method, headers, credentials: "same-origin" };
  if (body !== undefined) init.body = JSON.stringify(body);
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, init);
  } catch {
    throw new Problem(0, "no_answer", "", "");
  }
  if (!response.ok) {
    if (response.status === 401 && !open) signedOut();
    throw await problemOf(response);
  }
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

export const get = <T>(path: string): Promise<T> => call<T>("GET", path);
export const post = <T>(path: string, body?: unknown): Promise<T> => call<T>("POST", path, body);
export const remove = <T>(path: string): Promise<T> => call<T>("DELETE", path);

/** The three calls that a signed-out browser may make: their 401 is an answer, not an ended session. */
export const session = {
  current: (): Promise<Session> => call<Session>("GET", "/session", undefined, true),
  signIn: (name: string, password: string): Promise<Session> => call<Session>("POST", "/session", { name, password }, true),
  setUp: (token: string, name: string, password: string): Promise<Session> => call<Session>("POST", "/setup", { token, name, password }, true),
};

/** Text for a path segment or a query value. */
export const esc = (text: string): string => encodeURIComponent(text);
