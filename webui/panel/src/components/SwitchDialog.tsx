import { useEffect, useRef, useState } from "react";
import { get, post, Problem } from "../api/client";
import type { Automation, Page, Run } from "../api/types";
import { placeOf } from "../live/story";
import { dispatch, useLive } from "../live/store";
import { words } from "../words";
import { Icon } from "./Icon";
import { Link } from "./Link";
import { Code, Say } from "./Text";

/** Runs that stand still because of the pause, or null while they are asked for. */
function useHeldRuns(wanted: boolean): { runs: Run[] | null; failed: boolean } {
  const [runs, setRuns] = useState<Run[] | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    if (!wanted) return;
    Promise.all([get<Page<Run>>("/runs?status=queued"), get<Page<Run>>("/runs?status=running")]).then(
      ([queued, running]) => setRuns([...running.items, ...queued.items]),
      () => setFailed(true),
    );
  }, [wanted]);
  return { runs, failed };
}

function Held() {
  const { runs, failed } = useHeldRuns(true);
  if (failed) return <p className="t2 heldbox">{words.pause.heldUnknown}</p>;
  if (!runs) return <p className="t2 heldbox">{words.pause.loading}</p>;
  return (
    <div className="heldbox">
      <p className="t2">{words.pause.held(runs.length)}</p>
      <ul className="heldlist">
        {runs.map((run) => (
          <li key={run.id}>
            <Link to={`/runs/${run.id}`}>
              <Code>{run.playbook}</Code>
            </Link>{" "}
            <Say of={placeOf(null, run.host)} />
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The second press. To pause: a reason, and yes. To resume: the held runs are shown first. */
export function SwitchDialog({ resume, close }: { resume: boolean; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const paused = useLive().status?.automation;
  const { pause, states } = words;

  useEffect(() => dialog.current?.showModal(), []);

  const act = (): void => {
    setBusy(true);
    const body = !resume && reason.trim() ? { reason: reason.trim() } : undefined;
    post<Automation>(resume ? "/system/resume" : "/system/pause", body).then(
      (automation) => {
        dispatch({ type: "automation", automation });
        dialog.current?.close();
      },
      (error: unknown) => {
        setBusy(false);
        setProblem(error instanceof Problem ? error : new Problem(0, "", "", ""));
      },
    );
  };

  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="switch-title" onClose={close}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          act();
        }}
      >
        <h2 id="switch-title">{resume ? pause.resumeTitle : pause.title}</h2>
        {resume ? (
          <>
            {paused?.reason && <p>“{paused.reason}”</p>}
            <Held />
          </>
        ) : (
          <>
            <p className="t2">{pause.body}</p>
            <div className="field">
              <label htmlFor="switch-reason">{pause.reason}</label>
              <input
                id="switch-reason"
                className="input"
                placeholder={pause.example}
                maxLength={500}
                value={reason}
                onChange={(event) => setReason(event.target.value)}
              />
            </div>
          </>
        )}
        {problem && (
          <p className="st crit" role="alert">
            <Icon name="crit" />
            {problem.status === 403 ? states.forbidden : problem.status === 0 ? states.noAnswer : states.failed}
          </p>
        )}
        <div className="row">
          <button className={`btn ${resume ? "go" : "primary"}`} type="submit" disabled={busy}>
            <Icon name={resume ? "play" : "pause"} />
            {resume ? pause.resumeGo : pause.go}
          </button>
          <button className="btn" type="button" onClick={() => dialog.current?.close()}>
            {resume ? pause.resumeKeep : pause.keep}
          </button>
        </div>
      </form>
    </dialog>
  );
}
