import { useState } from "react";
import { Problem, session } from "../api/client";
import type { Session } from "../api/types";
import { words } from "../words";
import { Door, Field } from "./Door";
import { useTitle } from "./title";

function said(error: unknown): string {
  if (!(error instanceof Problem) || error.status === 0) return `${words.states.noAnswer}. ${words.states.noAnswerBody}`;
  if (error.status === 429) return words.sign.slow;
  if (error.status >= 500) return `${words.states.failed}. ${words.states.failedBody}`;
  return words.sign.wrong;
}

export function SignIn({ enter, ended }: { enter: (session: Session) => void; ended: boolean }) {
  useTitle(words.sign.go);
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  const submit = (): void => {
    setBusy(true);
    session.signIn(name, password).then(enter, (reason: unknown) => {
      setBusy(false);
      setPassword("");
      setError(said(reason));
    });
  };

  return (
    <Door title={words.sign.title} notice={ended ? words.sign.ended : null} error={error} submit={submit}>
      <Field id="name" label={words.sign.name} autoComplete="username" value={name} change={setName} focus />
      <Field id="password" label={words.sign.password} type="password" autoComplete="current-password" value={password} change={setPassword} />
      <button className="btn primary" type="submit" disabled={busy || !name || !password}>
        {busy ? words.sign.going : words.sign.go}
      </button>
    </Door>
  );
}
