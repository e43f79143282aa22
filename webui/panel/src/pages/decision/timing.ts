import type { Duration } from "../../api/types";
import { span } from "../../format/time";

const MICRO = 1_000_000;

/** A rule's duration as it is to be read: text as the rule wrote it, a number is microseconds. */
export function durationText(duration: Duration): string {
  if (duration === null) return "";
  return typeof duration === "number" ? span(duration / MICRO) : duration;
}

/** The names of timing whose numbers are counts, not spans. */
export const isCount = (name: string): boolean => name === "count";
