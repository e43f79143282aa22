import type { ReactNode } from "react";
import type { AgentState, HostState, Severity } from "../api/types";
import type { Outcome } from "../live/story";
import { words } from "../words";
import { Icon, type IconName } from "./Icon";

export type Tone = "" | "fine" | "wakil" | "you" | "warn" | "crit";

/** A status: always a shape and a word, and only then a colour. */
export function Status({ icon, tone, children }: { icon: IconName; tone: Tone; children: ReactNode }) {
  return (
    <span className={`st ${tone}`}>
      <Icon name={icon} />
      {children}
    </span>
  );
}

export function Chip({ icon, tone = "", children }: { icon?: IconName; tone?: Tone; children: ReactNode }) {
  return (
    <span className={`chip ${tone}`}>
      {icon && <Icon name={icon} />}
      <span>{children}</span>
    </span>
  );
}

const OUTCOMES: Record<Outcome, [IconName, Tone]> = {
  verified: ["seal", "wakil"],
  failed: ["x", "crit"],
  rolledBack: ["undo", "warn"],
  held: ["lock", "warn"],
  observed: ["agents", ""],
  waiting: ["hand", "you"],
  running: ["run", "wakil"],
  queued: ["clock", ""],
  unknown: ["warn", "warn"],
  raised: ["alerts", "warn"],
  resolved: ["check", ""],
  applied: ["check", ""],
};

export function OutcomeStatus({ outcome, chip = false }: { outcome: Outcome; chip?: boolean }) {
  const [icon, tone] = OUTCOMES[outcome];
  const Shape = chip ? Chip : Status;
  return (
    <Shape icon={icon} tone={tone}>
      {words.outcome[outcome]}
    </Shape>
  );
}

const SEVERITIES: Record<Severity, [IconName, Tone]> = {
  info: ["info", ""],
  warning: ["warn", "warn"],
  critical: ["crit", "crit"],
};

export function SeverityStatus({ severity, over = false }: { severity: Severity; over?: boolean }) {
  const [icon, tone] = SEVERITIES[severity];
  return (
    <Status icon={icon} tone={over ? "fine" : tone}>
      {words.severity[severity]}
    </Status>
  );
}

const HOSTS: Record<HostState, [IconName, Tone]> = {
  well: ["check", "fine"],
  warning: ["warn", "warn"],
  critical: ["crit", "crit"],
  silent: ["off", "warn"],
};

export function HostStatus({ state }: { state: HostState }) {
  const [icon, tone] = HOSTS[state];
  return (
    <Status icon={icon} tone={tone}>
      {words.hostState[state]}
    </Status>
  );
}

const AGENTS: Record<AgentState, [IconName, Tone]> = {
  running: ["check", "fine"],
  stopped: ["pause", ""],
  failed: ["crit", "crit"],
  silent: ["warn", "warn"],
};

export function AgentStatus({ state }: { state: AgentState }) {
  const [icon, tone] = AGENTS[state];
  return (
    <Status icon={icon} tone={tone}>
      {words.agentState[state]}
    </Status>
  );
}

/** Who did it: the deputy is square, a person round. */
export function Actor({ person }: { person: string | null }) {
  if (person === null) {
    return (
      <span className="actor w" role="img" aria-label={words.brand}>
        <Icon name="waw" />
      </span>
    );
  }
  const initials = person
    .split(/[\s._-]+/)
    .map((part) => part.charAt(0).toUpperCase())
    .join("")
    .slice(0, 2);
  return (
    <span className="actor p" role="img" aria-label={person}>
      {initials}
    </span>
  );
}
