import { useState } from "react";
import type { Alert } from "../api/types";
import { AckButton } from "../components/AckButton";
import { Link } from "../components/Link";
import { Blank, Skeleton } from "../components/Sheet";
import { SeverityStatus, Status } from "../components/Status";
import { Code, Say, Time, Value } from "../components/Text";
import { age, epoch } from "../format/time";
import { useLate, useNow } from "../live/hooks";
import { openAlerts } from "../live/state";
import { useLive } from "../live/store";
import { marked, nameOf } from "../live/story";
import { words } from "../words";
import { byUrgency } from "./overview/Needs";
import { useTitle } from "./title";

function Who({ alert }: { alert: Alert }) {
  const said = words.alerts;
  if (alert.status === "resolved") {
    return (
      <Status icon={alert.runs.length > 0 ? "seal" : "check"} tone={alert.runs.length > 0 ? "wakil" : "fine"}>
        {alert.runs.length > 0 ? words.brand : said.itself}
      </Status>
    );
  }
  if (alert.acknowledged_by) {
    return (
      <Status icon="person" tone="you">
        {nameOf(alert.acknowledged_by)}
      </Status>
    );
  }
  return (
    <Status icon="person" tone={alert.severity === "critical" ? "crit" : "warn"}>
      {said.nobody}
    </Status>
  );
}

function Row({ alert }: { alert: Alert }) {
  const now = useNow();
  const over = alert.status === "resolved";
  const run = alert.runs.at(-1);
  return (
    <li>
      <SeverityStatus severity={alert.severity} over={over} />
      <div className="what">
        <div className="t">
          <Say of={marked(alert.text, alert.key)} />
        </div>
        <div className="sub">
          <Code>{alert.rule}</Code>
          {alert.stale && ` · ${words.alerts.stale}`}
          {" · "}
          <Link to={`/decisions/${alert.firing}`}>{words.alerts.why}</Link>
          {run && (
            <>
              {" · "}
              <Link to={`/runs/${run}`}>{words.overview.seeRun}</Link>
            </>
          )}
        </div>
      </div>
      <div className="state">
        <span className="when t2">{over && alert.resolved ? <Time at={alert.resolved} day /> : <Value>{age(now - epoch(alert.opened))}</Value>}</span>
        <Who alert={alert} />
        {alert.status === "open" && <AckButton alert={alert} />}
      </div>
    </li>
  );
}

/** Resolved alerts shown before more are asked for. */
const LATELY = 12;

function Group({ title, alerts, most = Infinity }: { title: string; alerts: Alert[]; most?: number }) {
  const [all, setAll] = useState(false);
  if (alerts.length === 0) return null;
  const shown = all ? alerts : alerts.slice(0, most);
  return (
    <>
      <h2 className="grp">
        {title} <span className="t3">{alerts.length}</span>
      </h2>
      <ul className="alerts">
        {shown.map((alert) => (
          <Row key={alert.id} alert={alert} />
        ))}
      </ul>
      {shown.length < alerts.length && (
        <div className="pad">
          <button className="btn small" type="button" onClick={() => setAll(true)}>
            {words.states.more}
          </button>
        </div>
      )}
    </>
  );
}

export function Alerts() {
  useTitle(words.alerts.title);
  const live = useLive();
  const late = useLate(!live.loaded);
  const open = [...openAlerts(live)].sort(byUrgency);
  const taken = live.alerts.filter((alert) => alert.status === "acknowledged").sort(byUrgency);
  const over = live.alerts.filter((alert) => alert.status === "resolved").sort((a, b) => ((a.resolved ?? "") < (b.resolved ?? "") ? 1 : -1));
  const critical = open.filter((alert) => alert.severity === "critical").length;
  return (
    <>
      <div className="head">
        <div>
          <h1>{live.loaded ? words.alerts.answer(open.length, critical, taken.length) : words.alerts.title}</h1>
          <p className="sub facts">
            {words.alerts.sub(taken.length, over.length).map((part) => (
              <span key={part}>{part}</span>
            ))}
          </p>
        </div>
      </div>
      <section className="sheet hold" aria-label={words.alerts.title}>
        {!live.loaded ? (
          late && <Skeleton lines={6} />
        ) : live.alerts.length === 0 ? (
          <Blank icon="alerts" title={words.alerts.empty} body={words.alerts.emptyBody} />
        ) : (
          <>
            <Group title={words.alerts.open} alerts={open} />
            <Group title={words.alerts.acknowledged} alerts={taken} />
            <Group title={words.alerts.resolved} alerts={over} most={LATELY} />
          </>
        )}
      </section>
    </>
  );
}
