import { useEffect, useState } from "react";
import { mayAs, useAccount } from "../account";
import { age, clock, epoch } from "../format/time";
import { useNow } from "../live/hooks";
import { useLive } from "../live/store";
import { nameOf } from "../live/story";
import { words } from "../words";
import { Icon, type IconName } from "./Icon";
import { Link } from "./Link";
import { SwitchDialog } from "./SwitchDialog";

/** Seconds without any fact from which on the page says that what it shows is old. */
const STALE = 120;

type Look = { icon: IconName; dot: string; title: string; sub: string };

function useLook(): Look {
  const { status, connection, lostAt } = useLive();
  const { bar } = words;
  if (connection === "offline" && lostAt !== null) {
    return { icon: "off", dot: "eye gone", title: bar.none, sub: bar.noneSub(clock(new Date(lostAt * 1000).toISOString(), true)) };
  }
  if (!status) return { icon: "play", dot: "eye", title: bar.connecting, sub: "" };
  const { automation } = status;
  if (automation.paused) {
    return {
      icon: "pause",
      dot: "paused",
      title: bar.paused,
      sub: bar.pausedSub(automation.by && nameOf(automation.by), automation.at ? clock(automation.at) : "–", automation.reason),
    };
  }
  if (automation.mode === "observe") return { icon: "agents", dot: "eye", title: bar.observe, sub: bar.observeSub };
  if (automation.mode === "approve") return { icon: "hand", dot: "eye", title: bar.approve, sub: bar.approveSub };
  return { icon: "play", dot: "", title: bar.on, sub: bar.onSub };
}

function Pulse() {
  const { status, connection } = useLive();
  const now = useNow();
  const { bar } = words;
  const said = connection === "live" ? bar.live : connection === "offline" ? bar.offline : bar.connecting;
  const last = status?.last_fact;
  return (
    <div className={`live is-${connection}`}>
      <span className="pulse" aria-hidden="true" />
      <span className="said">{said}</span>
      {last && now - epoch(last) > STALE ? (
        <span className="lag st warn">
          <Icon name="clock" />
          {bar.fact(age(now - epoch(last)))}
        </span>
      ) : (
        <span className="lag t3">{last ? bar.fact(age(now - epoch(last))) : bar.noFact}</span>
      )}
      <time className="clock" dir="ltr" dateTime={new Date(now * 1000).toISOString()}>
        {clock(new Date(now * 1000).toISOString(), true)}
      </time>
    </div>
  );
}

/** The bar: the state of the deputy, how fresh the page is, and the one switch at its end. */
export function Bar() {
  const { status, connection } = useLive();
  const { session } = useAccount();
  const [open, setOpen] = useState(false);
  const look = useLook();
  const paused = status?.automation.paused ?? false;
  const may = mayAs(session.role, "operator");
  const reason = !may ? words.bar.lockedRole : connection === "offline" ? words.bar.lockedGone : null;
  const locked = reason !== null || !status;

  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.key !== "." || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      if (!locked) setOpen(true);
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [locked]);

  return (
    <header className="bar">
      <Link className="brand" to="/" label={words.brand}>
        <Icon name="waw" className="mark" />
      </Link>
      <div className="deputy" role="status">
        <span className={`dot ${look.dot}`}>
          <Icon name={look.icon} />
        </span>
        <b>{look.title}</b>
        <span className="mode t2" title={look.sub}>
          {look.sub}
        </span>
      </div>
      <Pulse />
      <button
        className={`btn ${locked ? "off" : paused ? "go" : "stop"} switch`}
        type="button"
        aria-disabled={locked}
        aria-keyshortcuts="Control+."
        title={reason ?? undefined}
        aria-describedby={reason ? "switch-why" : undefined}
        onClick={() => !locked && setOpen(true)}
      >
        <Icon name={paused ? "play" : "pause"} />
        <span>
          {paused ? words.bar.resume : words.bar.pause}
          {!paused && <span className="long">{words.bar.pauseLong}</span>}
        </span>
      </button>
      {reason && (
        <span id="switch-why" className="vh">
          {reason}
        </span>
      )}
      {open && <SwitchDialog resume={paused} close={() => setOpen(false)} />}
    </header>
  );
}
