import type { Alert, Approval } from "../../api/types";
import { mayAs, useAccount } from "../../account";
import { AckButton } from "../../components/AckButton";
import { Icon } from "../../components/Icon";
import { Link } from "../../components/Link";
import { Blank, Sheet } from "../../components/Sheet";
import { Say } from "../../components/Text";
import { age, epoch, span } from "../../format/time";
import { useNow } from "../../live/hooks";
import { openAlerts, waitingRuns } from "../../live/state";
import { useLive } from "../../live/store";
import { marked, placeOf } from "../../live/story";
import { words } from "../../words";

const SHOWN = 6;
/** Of the rows, those kept for alerts while many runs wait. */
const FOR_ALERTS = 2;
const RANK = { critical: 0, warning: 1, info: 2 };

/** Critical first; of one severity, the one open longest. */
export function byUrgency(a: Alert, b: Alert): number {
  return RANK[a.severity] - RANK[b.severity] || (a.opened < b.opened ? -1 : 1);
}

const lapse = (one: Approval): number => (one.expires ? epoch(one.expires) : Infinity);

function ApprovalRow({ approval }: { approval: Approval }) {
  const { session } = useAccount();
  const now = useNow();
  const { runs } = useLive();
  const may = mayAs(session.role, approval.role);
  const host = runs.find((run) => run.id === approval.run)?.host ?? null;
  const named = host !== null && approval.message.includes(host);
  return (
    <li>
      <Icon name="hand" />
      <div>
        <div className="t">
          {approval.playbook && (
            <>
              <Say of={words.overview.asks(approval.playbook, named ? [] : placeOf(null, host))} />
            </>
          )}
          <Say of={marked(approval.message, { host })} />
        </div>
        <p>
          {approval.expires ? (
            <Say of={words.overview.lapses(span(Math.max(0, Math.ceil(epoch(approval.expires) - now))), approval.on_timeout === "deny")} />
          ) : (
            words.overview.never
          )}
        </p>
      </div>
      <div className="row acts">
        <Link className="btn quiet" to={`/runs/${approval.run}`}>
          {words.overview.seeRun}
        </Link>
        {may && (
          <Link className="btn primary" to={`/runs/${approval.run}#approve`}>
            {words.overview.review}
          </Link>
        )}
      </div>
    </li>
  );
}

function AlertRow({ alert }: { alert: Alert }) {
  const now = useNow();
  return (
    <li className={alert.severity === "critical" ? "crit" : alert.severity === "warning" ? "warn" : "info"}>
      <Icon name={alert.severity === "critical" ? "crit" : alert.severity === "warning" ? "warn" : "info"} />
      <div>
        <div className="t">
          <Say of={marked(alert.text, alert.key)} />
        </div>
        <p>
          <Say of={words.overview.openFor(words.severity[alert.severity], age(now - epoch(alert.opened)), alert.rule)} />
          {alert.stale && words.overview.stale}
        </p>
      </div>
      <div className="row acts">
        <Link className="btn quiet" to={`/decisions/${alert.firing}`}>
          {words.overview.why}
        </Link>
        <AckButton alert={alert} />
      </div>
    </li>
  );
}

function ContentRow() {
  const problems = useLive().status?.content.problems ?? [];
  const first = problems[0];
  if (!first) return null;
  return (
    <li className="warn">
      <Icon name="warn" />
      <div>
        <div className="t">
          <Say of={words.overview.refused(problems.length)} />
        </div>
        <p>
          <Say of={words.overview.refusedBody(`${first.file}:${first.line}:${first.column}`, first.message)} />
        </p>
      </div>
    </li>
  );
}

/** What waits for a hand: approvals by the time they lapse, then open alerts, then refused content. */
export function Needs() {
  const live = useLive();
  const approvals = [...waitingRuns(live)].sort((a, b) => lapse(a) - lapse(b));
  const alerts = [...openAlerts(live)].sort(byUrgency);
  const refused = (live.status?.content.problems.length ?? 0) > 0;
  const all = approvals.length + alerts.length + (refused ? 1 : 0);
  const asked = approvals.slice(0, SHOWN - Math.min(alerts.length, FOR_ALERTS));
  const room = SHOWN - asked.length;
  const moreRuns = approvals.length - asked.length;
  const moreAlerts = alerts.length - Math.min(alerts.length, room);
  return (
    <Sheet
      id="needs"
      className="needs"
      title={words.overview.needs}
      note={all > 0 ? words.overview.urgent(all) : undefined}
      footer={
        moreRuns + moreAlerts > 0 ? (
          <>
            {moreRuns > 0 && <Link to="/runs">{words.overview.moreRuns(moreRuns)}</Link>}
            {moreAlerts > 0 && <Link to="/alerts">{words.overview.moreAlerts(moreAlerts)}</Link>}
          </>
        ) : undefined
      }
    >
      {all === 0 ? (
        <Blank icon="check" title={words.overview.nothing} body={words.overview.nothingBody} />
      ) : (
        <ul className="rows need">
          {asked.map((one) => (
            <ApprovalRow key={one.id} approval={one} />
          ))}
          {alerts.slice(0, room).map((one) => (
            <AlertRow key={one.id} alert={one} />
          ))}
          <ContentRow />
        </ul>
      )}
    </Sheet>
  );
}
