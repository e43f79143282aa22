import type { MouseEvent, ReactNode } from "react";
import { go } from "../router";

type Props = { to: string; className?: string; current?: boolean; label?: string; children: ReactNode };

/** A link inside the panel: a true address, without loading the page anew. */
export function Link({ to, className, current = false, label, children }: Props) {
  const follow = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a href={to} className={className} aria-current={current ? "page" : undefined} aria-label={label} onClick={follow}>
      {children}
    </a>
  );
}
