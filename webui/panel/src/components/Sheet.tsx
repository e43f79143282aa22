import type { ReactNode } from "react";
import { Problem } from "../api/client";
import { words } from "../words";
import { Icon, type IconName } from "./Icon";

type Props = {
  id: string;
  title: ReactNode;
  note?: ReactNode;
  aside?: ReactNode;
  footer?: ReactNode;
  className?: string;
  live?: boolean;
  children: ReactNode;
};

/** The only container: a title, its evidence, and what one can do about it. */
export function Sheet({ id, title, note, aside, footer, className = "", children }: Props) {
  return (
    <section className={`sheet ${className}`} aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {note !== undefined && <span className="note">{note}</span>}
        {aside !== undefined && <div className="row push">{aside}</div>}
      </header>
      {children}
      {footer !== undefined && <footer>{footer}</footer>}
    </section>
  );
}

/** Nothing to show, and why that is. */
export function Blank({ icon, title, body, children }: { icon?: IconName; title: string; body?: ReactNode; children?: ReactNode }) {
  return (
    <div className="pad">
      <div className="blank">
        {icon && <Icon name={icon} />}
        <p className="strong">{title}</p>
        {body !== undefined && <p className="t2">{body}</p>}
        {children}
      </div>
    </div>
  );
}

/** Placeholder lines; only shown after 300 ms (useLate). */
export function Skeleton({ lines }: { lines: number }) {
  return (
    <div className="pad stack">
      {Array.from({ length: lines }, (_, index) => (
        <span key={index} className={`skel w${index % 3}`} />
      ))}
    </div>
  );
}

const TITLES: Record<number, [string, string]> = {
  0: [words.states.noAnswer, words.states.noAnswerBody],
  403: [words.states.forbidden, words.states.forbiddenBody],
  404: [words.states.notFound, words.states.notFoundBody],
};

/** What happened, what still holds, what to do. */
export function Failure({ problem, again }: { problem: Problem; again: () => void }) {
  const [title, body] = TITLES[problem.status] ?? [words.states.failed, words.states.failedBody];
  return (
    <section className="sheet hold" role="alert">
      <h1 className="vh">{title}</h1>
      <Blank icon={problem.status === 0 ? "off" : "crit"} title={title} body={body}>
        {problem.detail && <p className="t3 small">{problem.detail}</p>}
        <div className="row">
          <button className="btn" type="button" onClick={again}>
            {words.states.again}
          </button>
          {problem.request && (
            <span className="t3 small">
              {words.states.request}
              <code>{problem.request}</code>
            </span>
          )}
        </div>
      </Blank>
    </section>
  );
}
