import type { ReactNode } from "react";

/** Marks on a 16 by 16 ground, drawn in the colour of the text around them. */
const MARKS = {
  waw: (
    <>
      <circle cx="9.7" cy="5.4" r="2.8" />
      <path d="M12.5 5.4c0 4.9-3.4 7.7-7.3 7.7-1.5 0-2.7-.4-3.6-1.1" />
    </>
  ),
  overview: <path d="M2.5 2.5H7v6H2.5zM9 2.5h4.5V6H9zM9 8h4.5v5.5H9zM2.5 10.5H7v3H2.5z" />,
  decisions: (
    <>
      <circle cx="4" cy="3.75" r="1.75" />
      <circle cx="4" cy="12.25" r="1.75" />
      <path d="M4 5.5v5M8 3.75h6M8 8h4M8 12.25h6" />
    </>
  ),
  runs: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M6.75 5.5 10.5 8l-3.75 2.5z" />
    </>
  ),
  agents: (
    <>
      <path d="M1.5 8S3.8 3.75 8 3.75 14.5 8 14.5 8 12.2 12.25 8 12.25 1.5 8 1.5 8z" />
      <circle cx="8" cy="8" r="1.75" />
    </>
  ),
  alerts: <path d="M3.25 11.5h9.5l-1.25-1.75V7a3.5 3.5 0 0 0-7 0v2.75zM6.5 13.75h3" />,
  pause: <path strokeWidth="2.25" d="M5.5 3.5v9M10.5 3.5v9" />,
  play: <path d="M5 3 12.75 8 5 13z" />,
  check: <path d="m3 8.5 3.25 3.25L13 4.75" />,
  x: <path d="m4 4 8 8M12 4l-8 8" />,
  warn: <path d="M8 2.25 14.5 13.5h-13zM8 6.5v3.25M8 11.6v.1" />,
  crit: <path d="M5.4 1.75h5.2l3.65 3.65v5.2l-3.65 3.65H5.4L1.75 10.6V5.4zM8 4.9v3.7M8 11v.1" />,
  info: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M8 7.25V11M8 5v.1" />
    </>
  ),
  clock: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M8 4.5V8l2.25 1.5" />
    </>
  ),
  hand: (
    <path d="M4.5 8.5V4.25a1 1 0 0 1 2 0V7.5M6.5 7V3a1 1 0 0 1 2 0v4M8.5 7V3.5a1 1 0 0 1 2 0V8M10.5 7.75V5.5a1 1 0 0 1 2 0v4.25c0 2.6-1.6 4.5-4.1 4.5-2 0-3-.9-3.9-2.5L2.75 9a1 1 0 0 1 1.75-.9z" />
  ),
  person: (
    <>
      <circle cx="8" cy="5.25" r="2.5" />
      <path d="M3 13.75c.5-2.6 2.4-4 5-4s4.5 1.4 5 4" />
    </>
  ),
  chev: <path d="M6 3.5 10.5 8 6 12.5" />,
  undo: <path d="M5.5 3 2.5 6l3 3M2.5 6h7a4 4 0 0 1 0 8H6" />,
  lock: (
    <>
      <rect x="3.5" y="7.25" width="9" height="6.5" rx="1" />
      <path d="M5.25 7.25v-2a2.75 2.75 0 0 1 5.5 0v2" />
    </>
  ),
  sun: (
    <>
      <circle cx="8" cy="8" r="2.75" />
      <path d="M8 1.5v1.25M8 13.25v1.25M1.5 8h1.25M13.25 8h1.25M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9" />
    </>
  ),
  off: (
    <path d="M2 2l12 12M1.75 6.25a9 9 0 0 1 2.6-1.7M14.25 6.25A9 9 0 0 0 7 3.8M4.25 8.9a5.3 5.3 0 0 1 2-1.2M11.75 8.9a5.3 5.3 0 0 0-1.5-1M8 12.1v.1" />
  ),
  fact: (
    <>
      <circle cx="8" cy="8" r="5.5" />
      <path strokeWidth="2.5" d="M8 8h.01" />
    </>
  ),
  cond: <path d="M8 1.75 14.25 8 8 14.25 1.75 8z" />,
  rule: (
    <>
      <rect x="2.5" y="2.5" width="11" height="11" rx="1.25" />
      <path d="M5.25 6.25h5.5M5.25 9.75h3.5" />
    </>
  ),
  dec: <path d="M2.25 3.25H9.5L14 8l-4.5 4.75H2.25z" />,
  run: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M6.75 5.5 10.5 8l-3.75 2.5z" />
    </>
  ),
  seal: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="m5.25 8.25 2 2 3.5-4" />
    </>
  ),
  moon: <path d="M13 9.6A5.5 5.5 0 0 1 6.4 3a5.5 5.5 0 1 0 6.6 6.6z" />,
  auto: (
    <>
      <circle cx="8" cy="8" r="5.5" />
      <path d="M8 2.5v11M8 4.5l4.3 1.2M8 8h5.5M8 11.5l4.3-1.2" />
    </>
  ),
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof MARKS;

export function Icon({ name, className = "" }: { name: IconName; className?: string }) {
  return (
    <svg className={`i ${className}`} viewBox="0 0 16 16" aria-hidden="true">
      {MARKS[name]}
    </svg>
  );
}
