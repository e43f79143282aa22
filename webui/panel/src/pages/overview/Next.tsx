import type { Upcoming } from "../../api/types";
import { Left, Passed } from "../../components/Countdown";
import { Link } from "../../components/Link";
import { Blank, Sheet } from "../../components/Sheet";
import { Say, Time } from "../../components/Text";
import { epoch } from "../../format/time";
import { useNow } from "../../live/hooks";
import { useLive } from "../../live/store";
import { placeOf } from "../../live/story";
import { words, type Rich } from "../../words";

const SHOWN = 5;
const HOUR = 3600;

function say(one: Upcoming): Rich {
  const said = words.upcoming;
  const place = placeOf(one.key);
  const rule = one.rule ?? "";
  switch (one.type) {
    case "fires":
      return said.fires(rule, place, one.playbook ?? null);
    case "after":
      return said.after(rule, place, one.playbook ?? null);
    case "lapses":
      return said.lapses(one.playbook ?? null);
    case "schedule":
      return said.schedule(one.name ?? rule);
    case "absent":
      return said.absent(rule, place);
    case "throttled":
      return said.throttled(rule, place);
  }
}

function Row({ one }: { one: Upcoming }) {
  const at = epoch(one.at);
  const near = at - useNow() < HOUR;
  return (
    <li>
      <div>
        <div className="when">{near ? <Left until={at} due={words.overview.due} /> : <Time at={one.at} day />}</div>
        {near && one.since && <Passed since={epoch(one.since)} until={at} tone={one.type === "lapses" ? "you" : "wakil"} />}
      </div>
      <div>
        <Say of={say(one)} />{" "}
        {one.run && (
          <Link className="small" to={`/runs/${one.run}`}>
            {words.overview.seeRun}
          </Link>
        )}
      </div>
    </li>
  );
}

/** What Wakil is about to do, if nothing changes: as weighty as what it did. */
export function Next() {
  const upcoming = useLive().status?.upcoming ?? [];
  return (
    <Sheet id="next" className="nextup" title={words.overview.next} note={words.overview.nextNote}>
      {upcoming.length === 0 ? (
        <Blank icon="clock" title={words.overview.nothingNext} body={words.overview.nothingNextBody} />
      ) : (
        <ol className="rows next">
          {upcoming.slice(0, SHOWN).map((one, index) => (
            <Row key={`${one.type}-${one.at}-${one.rule ?? one.name ?? ""}-${index}`} one={one} />
          ))}
        </ol>
      )}
    </Sheet>
  );
}
