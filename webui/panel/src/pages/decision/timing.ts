import type { Duration } from "../../api/types";
import { span } from "../../format/time";

const MICRO = 1_000_000;
const UNITS: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** A rule's duration as the rule wrote it; a number is microseconds. */
export function durationText(duration: Duration): string {
  if (duration === null) return "";
  return typeof duration === "number" ? span(duration / MICRO) : duration;
}

/** A rule's duration in seconds; null where it is none, or depends on facts. */
export function durationSeconds(duration: Duration): number | null {
  if (typeof duration === "number") return duration / MICRO;
  if (duration === null || !/^(\d+(\.\d+)?(ms|s|m|h|d|w))+$/.test(duration)) return null;
  const parts = duration.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g);
  return [...parts].reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? "s"] ?? 0), 0);
}

/** A rule's duration in words: `5m` is `5 min`, `1h30m` is `1 h 30 min`; other text stays. */
export function durationWords(duration: Duration): string {
  const seconds = durationSeconds(duration);
  return seconds === null ? durationText(duration) : span(seconds);
}

/** The names of timing whose numbers are counts, not spans. */
export const isCount = (name: string): boolean => name === "count";
