import { Fragment } from "react";
import { clock, moment, utc } from "../format/time";
import { useNow } from "../live/hooks";
import type { Rich } from "../words";

/** A name of at most this many characters stays on one line: `web-1` is not broken at its hyphen. */
const WHOLE = 20;

/** Evidence: mono, left to right in every language. */
export function Code({ children, strong = false }: { children: string; strong?: boolean }) {
  const look = [strong ? "strong" : "", children.length <= WHOLE ? "nowrap" : ""].filter(Boolean).join(" ");
  return (
    <bdi dir="ltr">
      <code className={look || undefined}>{children}</code>
    </bdi>
  );
}

/** A sentence with evidence in it. */
export function Say({ of }: { of: Rich }) {
  return of.map((part, index) => (
    <Fragment key={index}>
      {typeof part === "string" ? part : "code" in part ? <Code>{part.code}</Code> : <span className="strong nowrap">{part.strong}</span>}
    </Fragment>
  ));
}

/** A number with its unit, which no direction may turn round. */
export function Value({ children }: { children: string }) {
  return <bdi dir="ltr">{children}</bdi>;
}

/** A time of day, local; the title has it in UTC. */
export function Time({ at, seconds = false, day = false }: { at: string; seconds?: boolean; day?: boolean }) {
  const now = useNow();
  return (
    <time dateTime={at} title={utc(at)} dir="ltr">
      {day ? moment(at, now, seconds) : clock(at, seconds)}
    </time>
  );
}
