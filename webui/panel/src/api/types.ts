/** What /api/v1 says, as the panel reads it. Times are RFC 3339 text, UTC. */

export type Role = "viewer" | "operator" | "admin";
export type Session = { user: string; role: Role; csrf: string };

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
export type Fields = { [name: string]: Json };

export type Page<T> = { items: T[]; next: string | null };

export type Mode = "observe" | "approve" | "auto";
export type Automation = {
  mode: Mode;
  paused: boolean;
  by: string | null;
  at: string | null;
  reason: string | null;
};

export type ContentProblem = { file: string; line: number; column: number; message: string };

/** Seconds since the epoch and a value; null is a gap. */
export type Point = [number, number | null];

export type HostState = "well" | "warning" | "critical" | "silent";
export type HostNow = {
  name: string;
  state: HostState;
  cpu: number | null;
  memory: number | null;
  disk: { mount: string; used_percent: number } | null;
  last_fact: string | null;
};
export type Host = HostNow & {
  labels: { [name: string]: string };
  cpu_history: Point[];
  memory_history: Point[];
};

export type AgentState = "running" | "stopped" | "failed" | "silent";
export type Agent = {
  id: string;
  description: string;
  state: AgentState;
  every_seconds: number;
  last_collect: string | null;
  last_error: string | null;
  facts: string[];
  failures: number;
  next_collect: string | null;
};

export type UpcomingType = "fires" | "after" | "lapses" | "schedule" | "absent" | "throttled";
export type Upcoming = {
  at: string;
  type: UpcomingType;
  rule?: string | null;
  ruleset?: string | null;
  key?: Fields | null;
  playbook?: string | null;
  approval?: string | null;
  run?: string | null;
  name?: string | null;
  since?: string | null;
};

export type RecordHour = {
  at: string;
  succeeded: number;
  failed: number;
  refused: number;
  unknown: number;
  observed: number;
  waiting: number;
};
export type TrackRecord = {
  verified: number;
  failed: number;
  refused: number;
  unknown: number;
  waiting: number;
  observed: number;
  hours: RecordHour[];
};

export type Counts = {
  alerts_open: number;
  alerts_critical: number;
  approvals_waiting: number;
  runs_active: number;
  hosts: number;
  hosts_well: number;
  agents: number;
  agents_running: number;
};

export type Status = {
  version: string;
  host: string;
  now: string;
  started: string;
  commit: string | null;
  content: { root: string; commit: string | null; problems: ContentProblem[]; loaded_at: string | null };
  automation: Automation;
  rules: number;
  last_fact: string | null;
  counts: Counts;
  hosts: Host[];
  agents: Agent[];
  upcoming: Upcoming[];
  record: TrackRecord;
};

export type Severity = "info" | "warning" | "critical";
export type Alert = {
  id: string;
  ruleset: string;
  rule: string;
  key: Fields;
  text: string;
  severity: Severity;
  status: "open" | "acknowledged" | "resolved";
  firing: string;
  opened: string;
  resolved: string | null;
  resolved_reason: string | null;
  acknowledged_by: string | null;
  stale: boolean;
  labels: { [name: string]: string };
  runs: string[];
};

export type FactJson = { at: string; kind: string; host?: string | null; data: Fields; gone?: boolean };
export type Because = { condition: string; file: string; line: number; fact: FactJson | null };
export type DecisionType = "alert" | "resolve" | "run" | "notify" | "fact" | "require" | "prefer" | "deny" | "ask" | "record";
export type Decision = {
  id: string;
  at: string;
  arrived?: string | null;
  rule: string;
  ruleset: string;
  decision: DecisionType;
  key: Fields;
  data: Fields;
  firing: string;
  because: Because[];
  commit: string | null;
};

export type Duration = string | number | null;
export type Firing = {
  firing: string;
  ruleset: string;
  rule: string;
  key: Fields;
  at: string;
  commit: string | null;
  decisions: Decision[];
  because: Because[];
  source: { file: string; line: number; lines: string[] } | null;
  timing: { [name: string]: Duration } | null;
  alert: Alert | null;
  runs: Run[];
  resolved: { at: string; reason: string | null } | null;
  series: { field: string; points: Point[]; limit: number | null } | null;
};

export type RunStatus = "queued" | "running" | "waiting" | "observed" | "succeeded" | "failed" | "refused" | "unknown";
export type StepStatus = "running" | "waiting" | "succeeded" | "failed" | "skipped" | "rolled_back" | "unknown";
export type Phase = "guard" | "steps" | "verify" | "rollback" | "on_failure" | "always";
export type Step = {
  path: string;
  name: string;
  phase: Phase;
  status: StepStatus;
  uses: string;
  attempt: number;
  started: string;
  ended: string | null;
  inputs: Fields;
  outputs: Fields;
  error: string | null;
  log: string;
};
export type PlannedStep = { path: string; name: string; phase: Phase; uses: string; destructive: boolean };
export type Run = {
  id: string;
  playbook: string;
  status: RunStatus;
  rule: string | null;
  firing: string | null;
  inputs: Fields;
  commit: string | null;
  host: string | null;
  created: string;
  started: string | null;
  ended: string | null;
  error: string | null;
  reasons: string[];
  requester: string;
  dry_run: boolean;
  steps: Step[];
  plan?: PlannedStep[];
  approvals?: Approval[];
  way_back?: { path: string; name: string; uses?: string; status: string }[];
};

export type Approval = {
  id: string;
  run: string;
  playbook?: string | null;
  step: string;
  message: string;
  role: Role;
  digest: string;
  status: "waiting" | "approved" | "rejected" | "expired" | "withdrawn";
  created: string;
  expires: string | null;
  requester: string;
  count: number;
  on_timeout: "deny" | "allow";
  answers: { by: string; at: string; answer: string; comment: string | null }[];
};

export type Metrics = { at: string; hosts: HostNow[] };
export type ContentEvent = { commit: string | null; problems: ContentProblem[] };
