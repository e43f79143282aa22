import { RecordChart } from "../../components/Charts";
import { Sheet } from "../../components/Sheet";
import { OutcomeStatus, Status } from "../../components/Status";
import { useLive } from "../../live/store";
import type { Outcome } from "../../live/story";
import { words } from "../../words";

export function Track() {
  const record = useLive().status?.record;
  if (!record) return null;
  const rows: [Outcome, number, boolean][] = [
    ["verified", record.verified, true],
    ["failed", record.failed, true],
    ["held", record.refused, true],
    ["waiting", record.waiting, true],
    ["observed", record.observed, record.observed > 0],
    ["unknown", record.unknown, record.unknown > 0],
  ];
  const all = rows.reduce((sum, [, count]) => sum + count, 0);
  return (
    <Sheet id="record" title={words.overview.record} note={words.overview.runs(all)} footer={<span>{words.overview.recordFoot}</span>}>
      <div className="pad record">
        <dl className="outs">
          {rows
            .filter(([, , shown]) => shown)
            .map(([outcome, count]) => (
              <div key={outcome}>
                <dt>
                  {outcome === "waiting" ? (
                    <Status icon="hand" tone="you">
                      {words.overview.waitingRuns}
                    </Status>
                  ) : (
                    <OutcomeStatus outcome={outcome} />
                  )}
                </dt>
                <dd>{count}</dd>
              </div>
            ))}
        </dl>
        <RecordChart hours={record.hours} />
      </div>
    </Sheet>
  );
}
