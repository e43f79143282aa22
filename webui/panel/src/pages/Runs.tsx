import { useState } from "react";
import { get } from "../api/client";
import type { Page, Run, RunStatus } from "../api/types";
import { atTop, Fresh } from "../components/Fresh";
import { Link } from "../components/Link";
import { Blank, Sheet, Skeleton } from "../components/Sheet";
import { Actor, OutcomeStatus } from "../components/Status";
import { Code, Say, Time, Value } from "../components/Text";
import { epoch, span } from "../format/time";
import { useHeld, useLate, useNow } from "../live/hooks";
import { useLive } from "../live/store";
import { outcomeOfRun, personOf, placeOf } from "../live/story";
import { words } from "../words";
import { useTitle } from "./title";

type Filter = "all" | "waiting" | "running" | "failed" | "succeeded";
const FILTERS: Filter[] = ["all", "waiting", "running", "failed", "succeeded"];
const MATCH: Record<Filter, RunStatus[] | null> = {
  all: null,
  waiting: ["waiting"],
  running: ["running", "queued"],
  failed: ["failed", "unknown", "refused"],
  succeeded: ["succeeded"],
};

function Row({ run }: { run: Run }) {
  const now = useNow();
  const person = personOf(run);
  const rule = run.rule?.split("/").at(-1) ?? null;
  const begun = run.started ? epoch(run.started) : null;
  return (
    <li>
      <Time at={run.created} day />
      <Actor person={person} />
      <div>
        <Link className="story medium" to={`/runs/${run.id}`}>
          <Code>{run.playbook}</Code> <Say of={placeOf(null, run.host)} />
        </Link>
        <div className="t2 small">
          {person ? <Say of={words.runs.byPerson(person)} /> : rule && <Say of={words.runs.byRule(rule)} />}
          {run.dry_run && ` · ${words.runs.dry}`}
          {run.error && ` · ${run.error}`}
        </div>
      </div>
      <div className="out">
        <OutcomeStatus outcome={outcomeOfRun(run)} />
        {begun !== null && run.status !== "observed" && run.status !== "refused" && (
          <span className="t3 small">
            <Value>{span(Math.max(0, (run.ended ? epoch(run.ended) : Math.floor(now)) - begun))}</Value>
          </span>
        )}
      </div>
    </li>
  );
}

export function Runs() {
  useTitle(words.runs.title);
  const { runs, loaded, approvals } = useLive();
  const [filter, setFilter] = useState<Filter>("all");
  const [older, setOlder] = useState<Run[]>([]);
  const [next, setNext] = useState<string | null | undefined>(undefined);
  const late = useLate(!loaded);
  const known = new Set(runs.map((run) => run.id));
  const wanted = MATCH[filter];
  const all = [...runs, ...older.filter((run) => !known.has(run.id))]
    .filter((run) => !wanted || wanted.includes(run.status))
    .sort((a, b) => (a.created < b.created ? 1 : -1));
  const { shown, fresh, show } = useHeld(all, () => atTop() || older.length > 0 || filter !== "all");
  const active = runs.filter((run) => run.status === "running" || run.status === "queued").length;

  const more = (): void => {
    const cursor = next ? `&cursor=${encodeURIComponent(next)}` : "";
    get<Page<Run>>(`/runs?limit=100${cursor}`).then(
      (page) => {
        setOlder((before) => [...before, ...page.items]);
        setNext(page.next);
      },
      // The button stays, and the band says that the connection is gone.
      () => undefined,
    );
  };

  return (
    <>
      <div className="head">
        <div>
          <h1>{loaded ? words.runs.answer(approvals.length, active) : words.runs.title}</h1>
          <p className="sub">{words.runs.sub}</p>
        </div>
      </div>
      <div className="row under">
        <div className="seg" role="group" aria-label={words.runs.filter}>
          {FILTERS.map((one) => (
            <button key={one} type="button" aria-pressed={filter === one} onClick={() => setFilter(one)}>
              {words.runs[one]}
            </button>
          ))}
        </div>
      </div>
      <Sheet
        id="list"
        className="hold"
        title={words.runs.title}
        aside={<Fresh count={fresh} show={show} />}
        footer={
          runs.length >= 40 && next !== null ? (
            <button className="btn small" type="button" onClick={more}>
              {words.states.more}
            </button>
          ) : undefined
        }
      >
        {!loaded ? (
          late && <Skeleton lines={8} />
        ) : shown.length === 0 ? (
          <Blank icon="runs" title={words.runs.empty} body={words.runs.emptyBody} />
        ) : (
          <ol className="rows feed days">
            {shown.map((run) => (
              <Row key={run.id} run={run} />
            ))}
          </ol>
        )}
      </Sheet>
    </>
  );
}
