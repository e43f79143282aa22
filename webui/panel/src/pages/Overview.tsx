import { Skeleton } from "../components/Sheet";
import { age, epoch } from "../format/time";
import { useLate, useNow } from "../live/hooks";
import { openAlerts, waitingRuns } from "../live/state";
import { useLive } from "../live/store";
import { words } from "../words";
import { Agents } from "./overview/Agents";
import { Happened } from "./overview/Happened";
import { Hosts } from "./overview/Hosts";
import { Needs } from "./overview/Needs";
import { Next } from "./overview/Next";
import { Track } from "./overview/Track";
import { useTitle } from "./title";

/** The page's shape while its data is on the way. */
function Waiting() {
  const late = useLate(true);
  return (
    <div className={`stack waiting ${late ? "" : "unseen"}`}>
      <h1 className="vh">{words.overview.title}</h1>
      <span className="vh" role="status">
        {words.states.loading}
      </span>
      <span className="skel headline" />
      <div className="sheet needs">
        <Skeleton lines={4} />
      </div>
      <div className="grid">
        <div className="sheet c7 tall">
          <Skeleton lines={8} />
        </div>
        <div className="sheet c5 tall">
          <Skeleton lines={6} />
        </div>
      </div>
    </div>
  );
}

function Facts() {
  const { status } = useLive();
  const now = useNow();
  if (!status) return null;
  const { counts } = status;
  const commit = status.content.commit ?? status.commit;
  return (
    <p className="sub facts">
      <span>{words.overview.hosts(counts.hosts, counts.hosts_well)}</span>
      <span>{words.overview.agents(counts.agents, counts.agents_running)}</span>
      <span>
        {words.overview.rules(status.rules)}
        <span className="src plain">{commit ? commit.slice(0, 12) : status.content.root}</span>
      </span>
      {status.last_fact && <span>{words.overview.lastFact(age(now - epoch(status.last_fact)))}</span>}
    </p>
  );
}

export function Overview() {
  useTitle(words.overview.title);
  const live = useLive();
  const { status } = live;
  if (!live.loaded || !status) return <Waiting />;
  const open = openAlerts(live);
  const answer = words.answer({
    approvals: waitingRuns(live).length,
    alerts: open.length,
    critical: open.filter((alert) => alert.severity === "critical").length,
    silent: status.hosts.filter((host) => host.state === "silent").length,
    agentsDown: status.agents.filter((agent) => agent.state === "failed" || agent.state === "silent").length,
    refusedContent: status.content.problems.length > 0,
  });
  return (
    <>
      <div className="head">
        <div>
          <h1>
            {status.automation.paused && words.paused}
            {answer}
          </h1>
          <Facts />
        </div>
      </div>
      <div className="stack">
        <Needs />
        <div className="grid">
          <div className="c7 stack">
            <Happened />
          </div>
          <div className="c5 stack">
            <Next />
            <Track />
          </div>
        </div>
        <div className="grid">
          <Hosts />
          <Agents />
        </div>
      </div>
    </>
  );
}
