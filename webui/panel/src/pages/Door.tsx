import type { FormEvent, ReactNode } from "react";
import { Icon } from "../components/Icon";
import { words } from "../words";

type Props = { title: string; sub?: string; notice?: string | null; error: string | null; submit: () => void; children: ReactNode };

/** The frame of the two pages outside: sign-in and set-up. */
export function Door({ title, sub, notice, error, submit, children }: Props) {
  const send = (event: FormEvent): void => {
    event.preventDefault();
    submit();
  };
  return (
    <main className="door" id="main" tabIndex={-1}>
      <div className="brand">
        <Icon name="waw" className="mark" />
        <span>{words.brand}</span>
      </div>
      <form className="sheet" onSubmit={send} noValidate>
        <div className="pad stack">
          <h1>{title}</h1>
          {sub && <p className="t2">{sub}</p>}
          {notice && (
            <p className="band warn" role="status">
              <Icon name="info" />
              <span>{notice}</span>
            </p>
          )}
          {children}
          <p className="doorsays" role="alert">
            {error && (
              <>
                <Icon name="crit" /> {error}
              </>
            )}
          </p>
        </div>
      </form>
    </main>
  );
}

type FieldProps = {
  id: string;
  label: string;
  type?: "text" | "password";
  autoComplete: string;
  value: string;
  change: (value: string) => void;
  hint?: string;
  focus?: boolean;
};

export function Field({ id, label, type = "text", autoComplete, value, change, hint, focus = false }: FieldProps) {
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="input"
        type={type}
        autoComplete={autoComplete}
        autoCapitalize="none"
        spellCheck={false}
        required
        autoFocus={focus}
        aria-describedby={hint ? `${id}-hint` : undefined}
        value={value}
        onChange={(event) => change(event.target.value)}
      />
      {hint && (
        <span id={`${id}-hint`} className="small t3">
          {hint}
        </span>
      )}
    </div>
  );
}
