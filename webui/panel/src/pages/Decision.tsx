import { lazy, Suspense, useState, type ReactNode } from "react";
import { esc } from "../api/client";
import type { Firing } from "../api/types";
import { Icon } from "../components/Icon";
import { Link } from "../components/Link";
import { Sheet, Failure, Skeleton } from "../components/Sheet";
import { Chip, OutcomeStatus } from "../components/Status";
import { Code, Say, Time } from "../components/Text";
import { clock } from "../format/time";
import { useLate, useResource } from "../live/hooks";
import type { Event } from "../live/state";
import { outcomeOfFiring, placeOf } from "../live/story";
import { plain, words, type Rich } from "../words";
import { About } from "./decision/About";
import { Chain } from "./decision/Chain";
import { durationWords } from "./decision/timing";
import { useTitle } from "./title";

const Saw = lazy(() => import("./decision/Saw"));

function question(firing: Firing): Rich {
  const said = words.decision;
  const place = placeOf(firing.key);
  const run = firing.decisions.find((one) => one.decision === "run");
  if (run && typeof run.data["playbook"] === "string") return said.whyRun(run.data["playbook"], place);
  if (firing.decisions.some((one) => one.decision === "alert")) return said.whyAlert(firing.rule, place);
  return said.whyFired(firing.rule, place);
}

/** An event that may change what this page shows. */
function touches(id: string): (event: Event) => boolean {
  return (event) =>
    (event.type === "run" && event.run.firing === id) ||
    (event.type === "alert" && event.alert.firing === id) ||
    (event.type === "decision" && event.decision.firing === id) ||
    event.type === "loaded";
}

function Head({ firing, view }: { firing: Firing; view: ReactNode }) {
  const outcome = outcomeOfFiring(firing);
  const held = firing.timing?.["for"] ?? null;
  return (
    <>
      <nav className="crumbs" aria-label={words.decisions.title}>
        <Link to="/decisions">{words.decisions.title}</Link>
        <Icon name="chev" className="flip" />
        <Code>{firing.firing}</Code>
      </nav>
      <div className="head">
        <div>
          <h1>
            <Say of={question(firing)} />
          </h1>
          <p className="sub">
            {words.decision.sub(Math.max(1, firing.because.length), held === null ? null : durationWords(held))}
            {words.decision.ended[outcome]}
          </p>
        </div>
      </div>
      <div className="row under">
        {view}
        {(!firing.alert || (outcome !== "raised" && outcome !== "resolved")) && <OutcomeStatus outcome={outcome} chip />}
        {firing.alert &&
          (firing.resolved ? (
            <Chip icon="check">{words.decision.resolvedAt(clock(firing.resolved.at, true))}</Chip>
          ) : (
            <Chip icon={firing.alert.severity === "critical" ? "crit" : "warn"} tone={firing.alert.severity === "critical" ? "crit" : "warn"}>
              {words.decision.open}
            </Chip>
          ))}
        <span className="t3 small">
          <Time at={firing.at} seconds day />
        </span>
      </div>
    </>
  );
}

/** One firing from fact to outcome. */
export function Decision({ id }: { id: string }) {
  const { data, problem, reload } = useResource<Firing>(`/decisions/${esc(id)}`, touches(id));
  const late = useLate(!data && !problem);
  const [json, setJson] = useState(false);
  useTitle(data ? plain(question(data)) : words.decisions.title);
  if (problem && !data) {
    return <Failure problem={problem} again={reload} />;
  }
  if (!data) {
    return (
      <>
        <h1 className="vh">{words.decisions.title}</h1>
        <div className={`sheet detail ${late ? "" : "unseen"}`}>
          <Skeleton lines={12} />
        </div>
      </>
    );
  }
  return (
    <>
      <Head
        firing={data}
        view={
          <div className="seg" role="group" aria-label={words.decision.view}>
            <button type="button" aria-pressed={!json} onClick={() => setJson(false)}>
              {words.decision.whyTab}
            </button>
            <button type="button" aria-pressed={json} onClick={() => setJson(true)}>
              {words.decision.asIf}
            </button>
          </div>
        }
      />
      <div className="grid">
        {json ? (
          <section className="sheet c8" aria-label={words.decision.asIf}>
            <div className="pad">
              <pre className="ev" tabIndex={0}>
                {JSON.stringify(data, null, 2)}
              </pre>
            </div>
          </section>
        ) : (
          <section className="sheet c8" aria-label={words.decision.chain}>
            <div className="pad">
              <Chain firing={data} />
            </div>
          </section>
        )}
        <aside className="c4 stack follow">
          {data.series && data.series.points.length > 1 && (
            <Suspense
              fallback={
                <Sheet id="saw" className="saw" title={words.decision.saw}>
                  <div className="pad chartbox" />
                </Sheet>
              }
            >
              <Saw firing={data} series={data.series} />
            </Suspense>
          )}
          <About firing={data} />
        </aside>
      </div>
    </>
  );
}
