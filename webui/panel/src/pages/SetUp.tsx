import { useState } from "react";
import { Problem, session } from "../api/client";
import type { Session } from "../api/types";
import { words } from "../words";
import { Door, Field } from "./Door";
import { useTitle } from "./title";

const SHORTEST = 8;

function said(error: unknown): string {
  if (!(error instanceof Problem) || error.status === 0) return `${words.states.noAnswer}. ${words.states.noAnswerBody}`;
  if (error.status === 429) return words.sign.slow;
  if (error.status === 400 || error.status === 422) return error.detail || words.sign.short;
  return words.sign.used;
}

/** The first admin, by the link with its token after the `#`: so it never reaches a log. */
export function SetUp({ enter, toSignIn }: { enter: (session: Session) => void; toSignIn: () => void }) {
  useTitle(words.sign.setupTitle);
  const [token] = useState(() => decodeURIComponent(window.location.hash.slice(1)));
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [error, setError] = useState<string | null>(token ? null : words.sign.noToken);
  const [busy, setBusy] = useState(false);

  const submit = (): void => {
    if (password.length < SHORTEST) return setError(words.sign.short);
    if (password !== again) return setError(words.sign.differ);
    setBusy(true);
    session.setUp(token, name, password).then(enter, (reason: unknown) => {
      setBusy(false);
      setError(said(reason));
    });
  };

  return (
    <Door title={words.sign.setupTitle} sub={words.sign.setupSub} error={error} submit={submit}>
      <Field id="name" label={words.sign.name} autoComplete="username" value={name} change={setName} focus />
      <Field
        id="password"
        label={words.sign.password}
        type="password"
        autoComplete="new-password"
        value={password}
        change={setPassword}
        hint={words.sign.length}
      />
      <Field id="again" label={words.sign.again} type="password" autoComplete="new-password" value={again} change={setAgain} />
      <div className="row">
        <button className="btn primary" type="submit" disabled={busy || !token || !name || !password || !again}>
          {busy ? words.sign.setupGoing : words.sign.setupGo}
        </button>
        <button className="btn quiet" type="button" onClick={toSignIn}>
          {words.sign.toSignIn}
        </button>
      </div>
    </Door>
  );
}
