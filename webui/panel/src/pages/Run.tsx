import { esc } from "../api/client";
import type { Run as RunRecord } from "../api/types";
import { Icon } from "../components/Icon";
import { Link } from "../components/Link";
import { Failure, Skeleton } from "../components/Sheet";
import { Chip, OutcomeStatus } from "../components/Status";
import { Code, Say } from "../components/Text";
import { epoch, span } from "../format/time";
import { useLate, useNow, useResource } from "../live/hooks";
import type { Event } from "../live/state";
import { outcomeOfRun, personOf, placeOf } from "../live/story";
import { plain, words } from "../words";
import { ApprovalBox } from "./run/ApprovalBox";
import { Inputs } from "./run/Inputs";
import { Output } from "./run/Output";
import { Timeline } from "./run/Timeline";
import { WayBack } from "./run/WayBack";
import { useTitle } from "./title";

function touches(id: string): (event: Event) => boolean {
  return (event) =>
    (event.type === "run" && event.run.id === id) || (event.type === "approval" && event.approval.run === id) || event.type === "loaded";
}

function Head({ run }: { run: RunRecord }) {
  const now = useNow();
  const person = personOf(run);
  const rule = run.rule?.split("/").at(-1) ?? null;
  const begun = run.started ? epoch(run.started) : null;
  const spent = begun === null ? null : span(Math.max(0, run.ended ? epoch(run.ended) - begun : Math.floor(now - begun)));
  return (
    <>
      <nav className="crumbs" aria-label={words.runs.title}>
        <Link to="/runs">{words.runs.title}</Link>
        <Icon name="chev" className="flip" />
        <Code>{run.id}</Code>
      </nav>
      <div className="head">
        <div>
          <h1>
            <Say of={words.run.title[run.status](run.playbook, placeOf(null, run.host))} />
          </h1>
          <p className="sub">
            {run.error && <span className="strong">{run.error}. </span>}
            {run.reasons.length > 0 && `${run.reasons.join("; ")}. `}
            {words.run.sub[run.status]}
          </p>
        </div>
        {run.firing && (
          <div className="row">
            <Link className="btn" to={`/decisions/${run.firing}`}>
              {words.run.why}
            </Link>
          </div>
        )}
      </div>
      <div className="row under">
        <OutcomeStatus outcome={outcomeOfRun(run)} chip />
        {person ? (
          <Chip icon="person">
            <Say of={words.run.startedByPerson(person)} />
          </Chip>
        ) : (
          rule && (
            <Chip icon="dec">
              <Say of={words.run.startedBy(rule)} />
            </Chip>
          )
        )}
        {spent !== null && <Chip icon="clock">{run.ended ? words.run.took(spent) : words.run.soFar(spent)}</Chip>}
        {run.dry_run && <Chip icon="agents">{words.run.dry}</Chip>}
      </div>
    </>
  );
}

/** One run: where it is, what must be answered, what can be taken back. */
export function Run({ id }: { id: string }) {
  const { data, problem, reload } = useResource<RunRecord>(`/runs/${esc(id)}`, touches(id));
  const late = useLate(!data && !problem);
  useTitle(data ? plain(words.run.title[data.status](data.playbook, placeOf(null, data.host))) : words.runs.title);
  if (problem && !data) {
    return <Failure problem={problem} again={reload} />;
  }
  if (!data) {
    return (
      <>
        <h1 className="vh">{words.runs.title}</h1>
        <div className={`sheet detail ${late ? "" : "unseen"}`}>
          <Skeleton lines={10} />
        </div>
      </>
    );
  }
  const asked = (data.approvals ?? []).filter((one) => one.status === "waiting");
  const answered = (data.approvals ?? []).filter((one) => one.status !== "waiting");
  return (
    <>
      <Head run={data} />
      <div className="grid">
        <div className="c8 stack">
          <Timeline run={data} />
          <Output run={data} />
          <Inputs run={data} />
        </div>
        <aside className="c4 stack first-phone">
          {asked.map((one) => (
            <ApprovalBox key={one.id} approval={one} run={data} answered={reload} />
          ))}
          <WayBack run={data} answered={answered} />
        </aside>
      </div>
    </>
  );
}
