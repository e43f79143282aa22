import { countdown, span } from "../format/time";
import { useNow } from "../live/hooks";

/** The share of a span that has passed, 0 to 1. */
export function passed(since: number, until: number, now: number): number {
  return until <= since ? 1 : Math.min(1, Math.max(0, (now - since) / (until - since)));
}

/** How long until a moment, in words: `2 min 40 s`. */
export function Left({ until, due }: { until: number; due: string }) {
  const left = until - useNow();
  return <bdi dir="ltr">{left <= 0 ? due : span(Math.ceil(left))}</bdi>;
}

/** A running countdown in large figures. */
export function BigCountdown({ until }: { until: number }) {
  const left = until - useNow();
  return (
    <span className="big" role="timer" dir="ltr">
      {countdown(left)}
    </span>
  );
}

/** A thin bar of the share that has passed. */
export function Passed({ since, until, tone }: { since: number; until: number; tone: "wakil" | "you" }) {
  const share = passed(since, until, useNow());
  return (
    <div className={`bar1 ${tone}`} aria-hidden="true">
      <span style={{ inlineSize: `${(share * 100).toFixed(1)}%` }} />
    </div>
  );
}
