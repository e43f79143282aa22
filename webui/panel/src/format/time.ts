/** Times and spans as the panel writes them. Spans are in seconds. */

const NBSP = "\u00a0";

const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");

export const epoch = (text: string): number => Date.parse(text) / 1000;

/** Local time of day, 24 hours: `14:16`, or `14:16:05` with seconds. */
export function clock(text: string, seconds = false): string {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return "–";
  const short = `${two(at.getHours())}:${two(at.getMinutes())}`;
  return seconds ? `${short}:${two(at.getSeconds())}` : short;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The time of day, with the day before it when that is not today. */
export function moment(text: string, now: number, seconds = false): string {
  const at = new Date(text);
  const today = new Date(now * 1000);
  const same = at.toDateString() === today.toDateString();
  return same ? clock(text, seconds) : `${at.getDate()}${NBSP}${MONTHS[at.getMonth()] ?? ""} ${clock(text, seconds)}`;
}

/** For the title of a time: the same instant in UTC. */
export function utc(text: string): string {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  return `${at.toISOString().slice(0, 10)} ${at.toISOString().slice(11, 19)} UTC`;
}

/** A span in words of at most two units: `0.4 ms`, `4.1 s`, `2 min 40 s`, `1 h 2 min`, `3 d 4 h`. */
export function span(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  const left = Math.max(0, seconds);
  if (left === 0) return `0${NBSP}s`;
  if (left < 1) {
    const milli = left * 1000;
    return `${milli < 10 ? milli.toFixed(1) : Math.round(milli)}${NBSP}ms`;
  }
  if (left < 60) return `${left < 10 && !Number.isInteger(left) ? left.toFixed(1) : Math.floor(left)}${NBSP}s`;
  const pairs: [number, string, number, string][] = [
    [86400, "d", 3600, "h"],
    [3600, "h", 60, "min"],
    [60, "min", 1, "s"],
  ];
  for (const [big, name, small, rest] of pairs) {
    if (left >= big) {
      const part = Math.floor((left % big) / small);
      const head = `${Math.floor(left / big)}${NBSP}${name}`;
      return part > 0 ? `${head} ${part}${NBSP}${rest}` : head;
    }
  }
  return "–";
}

/** How old something is, in whole units below a minute so that it does not flicker: `3 s`, `16 min`. */
export function age(seconds: number): string {
  const left = Math.max(0, seconds);
  if (left < 60) return `${Math.floor(left)}${NBSP}s`;
  if (left < 3600) return `${Math.floor(left / 60)}${NBSP}min`;
  return span(Math.floor(left / 60) * 60);
}

/** A running countdown: `43:58`, `1:02:03`; never negative. */
export function countdown(seconds: number): string {
  const left = Math.max(0, Math.ceil(seconds));
  const hours = Math.floor(left / 3600);
  const rest = `${two((left % 3600) / 60)}:${two(left % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}
