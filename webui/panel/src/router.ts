import { useSyncExternalStore } from "react";

/** Addresses of the panel. Each has a path of its own, so that it can be sent to somebody. */
export type Route =
  { page: "overview" | "decisions" | "runs" | "alerts" | "account" | "setup" | "missing" } | { page: "decision" | "run"; id: string };

export function routeOf(path: string): Route {
  const parts = path.split("/").filter(Boolean);
  const [first, second] = parts;
  if (parts.length === 0) return { page: "overview" };
  if (parts.length === 1) {
    if (first === "decisions" || first === "runs" || first === "alerts" || first === "account" || first === "setup") return { page: first };
  }
  if (parts.length === 2 && second) {
    if (first === "decisions") return { page: "decision", id: decodeURIComponent(second) };
    if (first === "runs") return { page: "run", id: decodeURIComponent(second) };
  }
  return { page: "missing" };
}

const listeners = new Set<() => void>();
const tell = (): void => {
  for (const listener of listeners) listener();
};

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("popstate", listener);
  };
}

export const usePath = (): string => useSyncExternalStore(subscribe, () => window.location.pathname);

/** Go to an address; the new page starts at its top, with the reader's focus on it. */
export function go(to: string, replace = false): void {
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  tell();
  const [, hash] = to.split("#");
  requestAnimationFrame(() => {
    const target = document.getElementById(hash ?? "main");
    target?.focus({ preventScroll: true });
    if (hash && target) target.scrollIntoView();
    else window.scrollTo(0, 0);
  });
}
