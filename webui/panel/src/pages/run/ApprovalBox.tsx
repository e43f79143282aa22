import { useState } from "react";
import { mayAs, useAccount } from "../../account";
import { esc, post, Problem } from "../../api/client";
import type { Approval, Run } from "../../api/types";
import { BigCountdown, Passed } from "../../components/Countdown";
import { Icon } from "../../components/Icon";
import { Say } from "../../components/Text";
import { clock, epoch, span } from "../../format/time";
import { useNow } from "../../live/hooks";
import { useLive } from "../../live/store";
import { words } from "../../words";
import { linesOf } from "./rows";

function Follows({ approval, run }: { approval: Approval; run: Run }) {
  const said = words.approval;
  const todo = linesOf(run).filter((line) => line.status === "todo");
  const next = todo[0];
  const back = (run.way_back ?? []).filter((one) => one.status === "ready" || one.status === "waiting").length;
  return (
    <ul className="would">
      <li>
        <Icon name="check" />
        <div>
          <span className="strong">{said.yes}</span>
          <br />
          <span className="t2">
            {said.yesBody(
              todo.length,
              todo.some((line) => line.destructive),
            )}{" "}
            {next?.uses && <Say of={said.yesNext(next.uses)} />}
          </span>
        </div>
      </li>
      <li>
        <Icon name="x" />
        <div>
          <span className="strong">{said.no}</span>
          <br />
          <span className="t2">{said.noBody(back)}</span>
        </div>
      </li>
      {approval.expires && (
        <li>
          <Icon name="clock" />
          <div>
            <span className="strong">{said.silence}</span>
            <br />
            <span className="t2">{said.silenceBody(approval.on_timeout === "deny", clock(approval.expires, true))}</span>
          </div>
        </li>
      )}
    </ul>
  );
}

function Clock({ approval }: { approval: Approval }) {
  const now = useNow();
  if (!approval.expires) return <p className="t2">{words.approval.noLimit}</p>;
  const from = epoch(approval.created);
  const until = epoch(approval.expires);
  return (
    <>
      <div className="row">
        <BigCountdown until={until} />
        <span className="t2">{until <= now ? words.approval.lapsed : words.approval.left(span(until - from))}</span>
      </div>
      <Passed since={from} until={until} tone="you" />
    </>
  );
}

/** A question to a person: what follows from yes, from no, and from silence; then the two buttons. */
export function ApprovalBox({ approval, run, answered }: { approval: Approval; run: Run; answered: () => void }) {
  const { session } = useAccount();
  const { connection } = useLive();
  const [comment, setComment] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const said = words.approval;
  const may = mayAs(session.role, approval.role);
  const locked = !may || connection === "offline";

  const done = (): void => {
    // The box goes; whoever pressed the key is to stay on this page.
    document.getElementById("main")?.focus({ preventScroll: true });
    answered();
  };

  const answer = (yes: boolean): void => {
    if (locked || busy) return;
    if (!yes && !comment.trim()) {
      setError(said.needComment);
      document.getElementById(`comment-${approval.id}`)?.focus();
      return;
    }
    setBusy(true);
    setError(null);
    const body = { digest: approval.digest, ...(comment.trim() ? { comment: comment.trim() } : {}) };
    post<unknown>(`/approvals/${esc(approval.id)}/${yes ? "approve" : "reject"}`, body).then(done, (reason: unknown) => {
      setBusy(false);
      const changed = reason instanceof Problem && reason.status === 409;
      setError(changed ? said.changed : reason instanceof Problem && reason.status === 403 ? said.locked(approval.role) : said.failed);
      if (changed) answered();
    });
  };

  return (
    <section className="sheet approve" id="approve" tabIndex={-1} aria-labelledby={`ask-${approval.id}`}>
      <header>
        <Icon name="hand" />
        <h2 id={`ask-${approval.id}`}>{approval.message}</h2>
      </header>
      <div className="pad stack">
        <Clock approval={approval} />
        <Follows approval={approval} run={run} />
        {approval.count > 1 && <p className="t2">{said.count(approval.answers.length, approval.count)}</p>}
        <div className="field">
          <label htmlFor={`comment-${approval.id}`}>{said.comment}</label>
          <textarea
            id={`comment-${approval.id}`}
            className="input"
            rows={2}
            maxLength={2000}
            placeholder={said.example}
            value={comment}
            aria-invalid={error === said.needComment}
            onChange={(event) => setComment(event.target.value)}
          />
        </div>
        {error && (
          <p className="st crit wraps" role="alert">
            <Icon name="crit" />
            {error}
          </p>
        )}
        <div className="twobtn">
          <button className={`btn ${locked ? "off" : ""}`} type="button" aria-disabled={locked || busy} onClick={() => answer(false)}>
            {said.reject}
          </button>
          <button className={`btn ${locked ? "off" : "primary"}`} type="button" aria-disabled={locked || busy} onClick={() => answer(true)}>
            <Icon name={may ? "check" : "lock"} />
            {said.approve}
          </button>
        </div>
      </div>
      <footer>
        <span>{may ? said.role(words.roles[approval.role] ?? approval.role) : said.locked(words.roles[approval.role] ?? approval.role)}</span>
      </footer>
    </section>
  );
}
