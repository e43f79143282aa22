import { age, span } from "../format/time";
import { code, strong, type Rich } from "./rich";

/** English. Another language is one more file of this shape; nothing else in the panel holds a sentence. */

const SMALL = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
const say = (n: number): string => SMALL[n] ?? n.toLocaleString("en-US");
const of = (n: number, one: string, many: string): string => `${n.toLocaleString("en-US")} ${n === 1 ? one : many}`;
/** A full stop, unless there is one. */
const stop = (text: string): string => (/[.!?…”]$/.test(text) ? text : `${text}.`);
const Cap = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const on = (place: Rich): Rich => (place.length ? [" on ", ...place] : []);

export type Answer = {
  approvals: number;
  alerts: number;
  critical: number;
  silent: number;
  agentsDown: number;
  refusedContent: boolean;
};

export const en = {
  lang: "en",
  dir: "ltr" as "ltr" | "rtl",
  brand: "Wakil",
  skip: "Skip to content",

  nav: {
    main: "Main", short: "Main, short", watch: "Watch",
    overview: "Overview", decisions: "Decisions", runs: "Runs", alerts: "Alerts", account: "You",
    waiting: (n: number) => `${say(n)} waiting for an answer`,
    open: (n: number) => `${say(n)} open`,
  },

  roles: { viewer: "viewer", operator: "operator", admin: "admin" },

  theme: {
    label: "Theme", system: "As the system", light: "Light", dark: "Dark",
    next: { system: "Theme: as the system. Change to light", light: "Theme: light. Change to dark", dark: "Theme: dark. Change to the system’s" },
  },

  account: {
    title: (name: string) => `You are signed in as ${name}`,
    may: {
      viewer: "You may read everything here and change nothing.",
      operator: "You may answer approvals, acknowledge alerts, pause and resume.",
      admin: "You may do all an operator may, and manage users and tokens.",
    },
    signOut: "Sign out", look: "How it looks", keys: "Keys", pauseKey: "pause or resume automation",
  },

  sign: {
    title: "Sign in to Wakil", name: "Name", password: "Password", go: "Sign in", going: "Signing in",
    ended: "Your session ended. Nothing was lost; sign in again to go on.",
    wrong: "Name and password do not belong together. Nothing was changed; try again.",
    slow: "Too many attempts from here. Wait a minute, then try again.",
    setupTitle: "Set up Wakil",
    setupSub: "This link works once. Choose the name and password of the first admin.",
    setupGo: "Create the admin", setupGoing: "Creating",
    again: "Password, once more", length: "At least 8 characters.",
    differ: "The two passwords differ. Type the same one twice.",
    short: "The password is too short: it needs at least 8 characters.",
    noToken: "This address lacks its token. Open the whole link that Wakil printed when it started.",
    used: "This set-up link is not valid: it was used before, or has run out. Sign in; while there is no user, Wakil shows a new link each time it starts.",
    toSignIn: "Go to sign-in",
  },

  bar: {
    on: "Automation on", observe: "Observing only", approve: "Asks before each run", paused: "Automation paused", none: "Wakil does not answer",
    onSub: "acts within policy", observeSub: "records what it would have done", approveSub: "runs what a person approves",
    pausedSub: (by: string | null, at: string, reason: string | null) =>
      `${by ? `by ${by} ` : ""}at ${at}${reason ? `, “${reason}”` : ""}`,
    noneSub: (at: string) => `since ${at}`,
    live: "Live", connecting: "Connecting", offline: "No connection", fact: (a: string) => `fact ${a} ago`, noFact: "no fact yet",
    pause: "Pause", pauseLong: " automation", resume: "Resume…",
    lockedRole: "Only an operator or an admin may pause automation. You are signed in as viewer.",
    lockedGone: "The switch works again when Wakil answers. On the server: wakil pause",
  },

  pause: {
    title: "Pause automation?",
    body: "Wakil goes on watching and alerting. It starts no run until someone resumes. The step that runs now is finished; the run then stops and can be continued.",
    reason: "Reason, kept in the audit log (optional)", example: "Database upgrade tonight",
    go: "Pause now", keep: "Keep it on",
    resumeTitle: "Resume automation?", resumeGo: "Resume now", resumeKeep: "Keep it paused",
    held: (n: number) => (n === 0 ? "No run is held. Wakil acts again from the next firing on." : n === 1 ? "One run is held and goes on when you resume:" : `${Cap(say(n))} runs are held and go on when you resume:`),
    loading: "Asking which runs are held",
    heldUnknown: "Which runs are held could not be read. You may still resume.",
  },

  offline: {
    band: (since: string) => `This browser lost Wakil at ${since}. What you see may be old; Wakil itself goes on by its rules.`,
    again: "Trying again by itself.", now: "Try now",
  },

  states: {
    loading: "Loading", notLoaded: "Not loaded", again: "Try again",
    noAnswer: "Wakil did not answer",
    noAnswerBody: "Nothing was changed. What runs on the server goes on; this page shows it once the connection is back.",
    failed: "Wakil could not answer this", failedBody: "Nothing was changed by asking. Try again; if it stays, the server’s log has the reason.",
    request: "Request ",
    notFound: "There is nothing at this address", notFoundBody: "It may have been typed wrongly, or what it showed has passed its retention.",
    forbidden: "Your role does not allow this", forbiddenBody: "Nothing was changed. Someone with the role operator or admin can do it.",
    asOf: (at: string) => `As of ${at}`,
    fresh: (n: number) => `${n} new`,
    more: "Show more",
  },

  answer: (a: Answer): string => {
    const parts: string[] = [];
    if (a.approvals) parts.push(a.approvals === 1 ? "a run waits for your answer" : `${say(a.approvals)} runs wait for your answer`);
    if (a.alerts) {
      const open = a.alerts === 1 ? "one alert is open" : `${say(a.alerts)} alerts are open`;
      const crit = a.critical === 0 ? "" : a.alerts === 1 ? ", and it is critical" : a.critical === a.alerts ? ", all of them critical" : `, ${say(a.critical)} of them critical`;
      parts.push(open + crit);
    }
    if (a.silent) parts.push(a.silent === 1 ? "one host is silent" : `${say(a.silent)} hosts are silent`);
    if (a.agentsDown) parts.push(a.agentsDown === 1 ? "one agent is not running" : `${say(a.agentsDown)} agents are not running`);
    if (a.refusedContent) parts.push("the newest content is refused");
    return parts.length ? `${Cap(parts.join("; "))}. The rest is well.` : "All is well. Nothing needs you.";
  },
  paused: "Automation is paused. ",

  overview: {
    title: "Overview",
    hosts: (n: number, well: number) => `${of(n, "host", "hosts")}, ${well} well`,
    agents: (n: number, live: number) => `${of(n, "agent", "agents")}, ${live} live`,
    rules: (n: number) => `${of(n, "rule", "rules")} from `,
    lastFact: (a: string) => `last fact ${a} ago`,
    needs: "Needs you", urgent: (n: number) => `${n}, most urgent first`,
    nothing: "Nothing waits for you", nothingBody: "Approvals and open alerts appear here, the most urgent first.",
    moreAlerts: (n: number) => `${of(n, "more alert", "more alerts")} under Alerts`,
    moreRuns: (n: number) => `${of(n, "more run waits", "more runs wait")}, under Runs`,
    seeRun: "See the run", review: "Review and answer", why: "Why?", acknowledge: "Acknowledge",
    lapses: (left: string, deny: boolean): Rich => ["Unanswered, it counts as ", deny ? "no" : "yes", " in ", strong(left), "."],
    asks: (playbook: string, place: Rich): Rich => [code(playbook), ...on(place), ": "],
    never: "It waits until someone answers.",
    openFor: (severity: string, a: string, rule: string): Rich => [`${severity} for ${a}, by rule `, code(rule), "."],
    stale: " The fact behind it has gone stale.",
    refused: (n: number): Rich => [`The newest content is refused: ${of(n, "error", "errors")}`],
    refusedBody: (file: string, message: string): Rich => ["Wakil keeps the content it had. First: ", code(file), ` ${message}`],
    happened: "What happened", happenedNote: (d: number, r: number) => `${of(d, "firing", "firings")}, ${of(r, "run", "runs")} lately`,
    quiet: "No rule has fired yet", quietBody: "When one does, it stands here with what caused it and how it ended.",
    allDecisions: "All decisions",
    next: "What comes next", nextNote: "if nothing changes",
    nothingNext: "Nothing is due", nothingNextBody: "Timers under way, approvals that lapse and schedules appear here.",
    due: "now",
    record: "Its record, 24 h", runs: (n: number) => of(n, "run", "runs"),
    recordChart: "Runs per hour over 24 hours, by outcome", ago24: "24 h ago", now: "now",
    waitingRuns: "Waiting", recordFoot: "Each square is one run; it stands where the run ended or waits.",
    hostsTitle: "Hosts", hostsNote: (shown: number, all: number) => (shown < all ? `worst first, ${shown} of ${all}` : "worst first"),
    allHosts: (n: number) => `Show all ${n} hosts`,
    noHosts: "No host has sent a fact yet", noHostsBody: "The agents collect on their intervals; the first facts arrive within seconds.",
    agentsTitle: "Agents", agentsNote: (live: number, other: number) => (other ? `${live} live, ${other} not` : `${live} live`),
    noAgents: "No agent is configured", noAgentsBody: "Agents are switched on in configs/agents.yaml.",
    every: (s: number) => `every ${span(s)}`, failures: (n: number) => `failed ${n === 1 ? "once" : `${n} times`}`,
    columns: { host: "Host", state: "State", cpu: "CPU, 1 h", memory: "Memory, 1 h", disk: "Fullest disk", last: "Last fact" },
  },

  upcoming: {
    fires: (rule: string, place: Rich, playbook: string | null): Rich =>
      [code(rule), " fires", ...on(place), " unless its condition turns false.", ...(playbook ? [" Then: ", code(playbook), "."] : [])],
    after: (rule: string, place: Rich, playbook: string | null): Rich =>
      [code(rule), " goes on to its next step", ...on(place), ...(playbook ? [": ", code(playbook)] : []), "."],
    lapses: (playbook: string | null): Rich => ["The approval", ...(playbook ? [" for ", code(playbook)] : []), " lapses; nobody has answered yet."],
    schedule: (name: string): Rich => ["Schedule ", code(name), " is due."],
    absent: (rule: string, place: Rich): Rich => [code(rule), " fires", ...on(place), " unless a fact arrives."],
    throttled: (rule: string, place: Rich): Rich => [code(rule), " may fire again", ...on(place), "."],
  },

  severity: { info: "Info", warning: "Warning", critical: "Critical" },
  hostState: { well: "Well", warning: "Warning", critical: "Critical", silent: "Silent" },
  agentState: { running: "Live", stopped: "Stopped", failed: "Failed", silent: "Silent" },
  alertState: { open: "Open", acknowledged: "Acknowledged", resolved: "Resolved" },
  outcome: {
    verified: "Verified", failed: "Failed", rolledBack: "Rolled back", held: "Held back", observed: "Observed", waiting: "Waits for you",
    running: "Running", queued: "Queued", unknown: "Unknown", raised: "Alert open", resolved: "Resolved", applied: "Applied",
  },

  story: {
    run: {
      succeeded: (p: string, place: Rich, took: string, rule: string | null): Rich =>
        ["Ran ", code(p), ...on(place), ...(rule ? [" after ", code(rule), " fired"] : []), `. It was done in ${took}.`],
      failed: (p: string, place: Rich, error: string | null): Rich => ["Ran ", code(p), ...on(place), error ? `; it failed: ${stop(error)}` : "; it failed."],
      rolledBack: (p: string, place: Rich, error: string | null): Rich =>
        ["Ran ", code(p), ...on(place), `${error ? `; it failed: ${stop(error)}` : "; it failed."} What it had done is rolled back.`],
      refused: (p: string, place: Rich, why: string): Rich => ["Did not run ", code(p), ...on(place), why ? `: ${stop(why)}` : "; policy refused it."],
      observed: (p: string, place: Rich): Rich => ["Would have run ", code(p), ...on(place), "; it only observes."],
      waiting: (p: string, place: Rich): Rich => ["Began ", code(p), ...on(place), " and asks before it goes on."],
      running: (p: string, place: Rich): Rich => ["Runs ", code(p), ...on(place), " now."],
      queued: (p: string, place: Rich): Rich => ["Will run ", code(p), ...on(place), " when its turn comes."],
      paused: (p: string, place: Rich): Rich => ["Will run ", code(p), ...on(place), " when automation is resumed."],
      unknown: (p: string, place: Rich): Rich => ["Ran ", code(p), ...on(place), "; whether it worked is not known."],
    },
    person: (who: string): Rich => [` Asked for by ${who}.`],
    alert: (text: Rich): Rich => ["Raised an alert: ", ...text],
    alertEnded: (after: string): Rich => [`. It resolved after ${after}.`],
    resolved: (rule: string, place: Rich): Rich => ["The condition of ", code(rule), " turned false", ...on(place), "; its alert is resolved."],
    notify: (to: string, text: string): Rich => ["Told ", code(to), `: ${text}`],
    fact: (kind: string, rule: string): Rich => [code(rule), " noted a fact of the kind ", code(kind), "."],
    other: (rule: string, place: Rich): Rich => [code(rule), " fired", ...on(place), "."],
    asked: (what: string, rule: string): Rich => [code(rule), ` answered a request: ${what}.`],
  },

  chainMark: { fact: "Fact", cond: "Condition", rule: "Rule", dec: "Decision", run: "Run", seal: "Outcome" },
  reached: (mark: string, step: number) => `Reached ${mark.toLowerCase()}, step ${step} of 6`,
  reachedAll: "All six steps, up to the verified outcome",
  byPerson: "Started by a person",

  decisions: {
    title: "Decisions",
    answer: (n: number) => (n === 0 ? "No rule has fired yet" : n === 1 ? "One rule fired lately; here is why" : `${Cap(say(n))} firings, newest first; each tells why`),
    sub: "Open one to see the fact, the condition, the rule, and how it ended.",
  },

  decision: {
    because: (text: string, rule: string): Rich => [text ? `${text}: ` : "", "the condition of ", code(rule), " was true", ""],
    whyRun: (p: string, place: Rich): Rich => ["Why did Wakil run ", code(p), ...on(place), "?"],
    whyAlert: (rule: string, place: Rich): Rich => ["Why did ", code(rule), " raise an alert", ...on(place), "?"],
    whyFired: (rule: string, place: Rich): Rich => ["Why did ", code(rule), " fire", ...on(place), "?"],
    sub: (conditions: number, held: string | null): string =>
      `Because ${conditions === 1 ? "its condition was" : `its ${say(conditions)} conditions were`} true${held ? ` for ${held}` : ""}. `,
    ended: {
      verified: "What it promised was then checked and found true.",
      failed: "The run that followed failed.", rolledBack: "The run that followed failed and was rolled back.",
      held: "Policy held the run back.", observed: "Wakil only observes, so nothing was run.", waiting: "The run waits for an answer.",
      running: "The run is under way.", queued: "The run is queued.", unknown: "Whether the run worked is not known.",
      raised: "An alert was raised; no run followed.", resolved: "It is resolved.", applied: "It was applied at once.",
    },
    asIf: "As JSON", view: "View", whyTab: "Why",
    resolvedAt: (at: string) => `Resolved at ${at}`, open: "Still open",
    chain: "Chain from fact to outcome",
    seen: "seen", same: "same instant", later: (s: string) => `+${s}`, since: (at: string) => `since ${at}`,
    fact: (kind: string, place: Rich): Rich => ["A fact of the kind ", code(kind), ...on(place)],
    noFact: "The rule fired because something was absent", moreFacts: (n: number) => `${of(n, "more fact", "more facts")} took part.`,
    allTrue: "It was true", allTrueFor: "It was true, for as long as the rule asks", true: "True", held: "Held", free: "Free",
    heldNote: (s: string) => `not once false in ${s}`, timing: (name: string) => ({ throttle: "had not fired for this key within that time", until: "resolves when this turns true", unless: "had not happened", within: "all of it within this time", count: "as often as asked" })[name] ?? "",
    ruleAt: " at ", noSource: "The text of the rule at that commit is no longer at hand.",
    did: (parts: Rich): Rich => parts,
    raise: "Raise an alert", runIt: (p: string): Rich => ["run ", code(p)], tell: (to: string): Rich => ["tell ", code(to)], noteFact: (k: string): Rich => ["note a fact ", code(k)], resolve: "Resolve the alert", record: "Only record it", and: " and ", answerReq: (d: string): Rich => [code(d)],
    alertText: "Alert", runText: "Run", told: "Told",
    noRun: "No run followed", noRunBody: "No run was part of this decision.",
    runDid: (done: number, all: number, skipped: number): string =>
      all === 0 ? "has not begun a step" : `did ${done} of ${of(all, "step", "steps")}${skipped === 0 ? "" : skipped === 1 ? "; one was not needed" : `; ${say(skipped)} were not needed`}`,
    promised: (what: string): Rich => ["Verified: ", code(what)],
    outcome: {
      verified: "Verified", failed: "Failed", rolledBack: "Rolled back", held: "Held back by policy", observed: "Observed: nothing was run", waiting: "Not yet: it waits for an answer",
      running: "Not yet: the run is under way", queued: "Not yet: the run is queued", unknown: "Unknown: Wakil could not find out", raised: "The alert is open", resolved: "Resolved by itself", applied: "Applied",
    },
    resolvedBy: (reason: string | null) => (reason ? `The alert resolved: ${reason}.` : "The alert resolved."),
    stillOpen: "The alert is still open.",
    saw: "What the rule saw", limit: (v: string) => `limit ${v}`, sawNote: (field: string): Rich => [code(field), "; gaps are missing facts. The dashed line is the limit."],
    chartLabel: (field: string, from: string, to: string, low: string, high: string) => `${field} from ${from} to ${to}: lowest ${low}, highest ${high}`,
    asTable: "As table", time: "Time", value: "Value",
    about: "About this firing", firing: "Firing", key: "Key", labels: "Labels", severity: "Severity", at: "At", commit: "Content", took: "Took",
  },

  runs: {
    title: "Runs",
    answer: (waiting: number, active: number) =>
      waiting ? (waiting === 1 ? "One run waits for your answer" : `${Cap(say(waiting))} runs wait for your answer`) : active ? (active === 1 ? "One run is under way" : `${Cap(say(active))} runs are under way`) : "No run is under way",
    sub: "Newest first. Open one to see its steps, its output and the way back.",
    empty: "No playbook has run yet", emptyBody: "A run begins when a rule fires that names a playbook, or when a person starts one.",
    filter: "Which runs", all: "All", waiting: "Waiting", running: "Running", failed: "Failed", succeeded: "Succeeded",
    byRule: (rule: string): Rich => ["by rule ", code(rule)], byPerson: (who: string): Rich => [`by ${who}`], dry: "dry run",
  },

  run: {
    title: {
      waiting: (p: string, place: Rich): Rich => [code(p), ...on(place), " waits for your answer"],
      running: (p: string, place: Rich): Rich => [code(p), ...on(place), " is running"],
      queued: (p: string, place: Rich): Rich => [code(p), ...on(place), " is queued"],
      succeeded: (p: string, place: Rich): Rich => [code(p), ...on(place), " did what it promised"],
      failed: (p: string, place: Rich): Rich => [code(p), ...on(place), " failed"],
      refused: (p: string, place: Rich): Rich => [code(p), ...on(place), " was held back"],
      observed: (p: string, place: Rich): Rich => [code(p), ...on(place), " would have run"],
      unknown: (p: string, place: Rich): Rich => [code(p), ...on(place), " ended in doubt"],
    },
    sub: {
      waiting: "It stops here until someone answers, or the question lapses.",
      running: "Each finished step is recorded; a restart of Wakil repeats none of them.",
      queued: "It begins when its turn comes and automation is on.",
      succeeded: "Every step is done and what the playbook verifies was found true.",
      failed: "What was done, and what was taken back, stands in the timeline.",
      refused: "Policy did not allow it; no step was begun.",
      observed: "Automation only observes: this is what it would have done.",
      unknown: "Wakil was interrupted in a step that cannot be repeated safely. Look at it before you run it again.",
    },
    why: "Why did it start?", startedBy: (rule: string): Rich => ["Started by rule ", code(rule)], startedByPerson: (who: string): Rich => [`Started by ${who}`],
    soFar: (s: string) => `${s} so far`, took: (s: string) => `took ${s}`, dry: "Dry run",
    timeline: "Timeline", counts: (done: number, failed: number, now: number, todo: number) =>
      `${of(done + failed + now + todo, "step", "steps")}: ${[
        `${done} done`, failed ? `${failed} failed` : "", now ? `${now} under way` : "", todo ? `${todo} to come` : "",
      ].filter(Boolean).join(", ")}`,
    noSteps: "No step was begun", noStepsBody: "The reason stands above.",
    stepState: { running: "Running", waiting: "Waits", succeeded: "Done", failed: "Failed", skipped: "Skipped", rolled_back: "Rolled back", unknown: "Unknown", todo: "To come" },
    phase: { guard: "Guard: may it run?", steps: "Step", verify: "Verify", rollback: "Roll back", on_failure: "On failure", always: "Always" },
    destructive: "Destructive: cannot be undone", asked: "asked at ", lapses: ", lapses at ", attempt: (n: number) => `attempt ${n}`,
    output: "Output", outputStep: (n: number) => `${of(n, "line", "lines")}`, noOutput: "Nothing was written yet.",
    following: "Following", held: "Held", stop: "Stop following", follow: "Follow", masked: "Secrets are masked before they are stored.", outputLabel: "Output, newest last",
    inputs: "Inputs and limits", host: "Host", requester: "Asked for by", commit: "Content", survives: "Survives", survivesBody: "a restart; no finished step is done twice", none: "none",
    wayBack: "Way back", wayBackNote: "last step first", noWay: "Nothing to take back", noWayBody: "No finished step declares a way back.",
    back: { ready: "can be taken back", running: "is being taken back", rolled_back: "taken back", succeeded: "taken back", failed: "could not be taken back", skipped: "not needed", waiting: "would be taken back" } as Record<string, string>,
  },

  approval: {
    left: (whole: string) => `left of ${whole}`, noLimit: "No time limit: it waits until someone answers.", lapsed: "The time is up.",
    yes: "If you approve", no: "If you reject", silence: "If nobody answers",
    yesBody: (steps: number, destructive: boolean): string =>
      `The run goes on${steps ? ` with ${of(steps, "step", "steps")} to come` : ""}.${!destructive ? "" : steps === 1 ? " It cannot be undone." : " At least one of them cannot be undone."}`,
    yesNext: (uses: string): Rich => ["Next: ", code(uses), "."],
    noBody: (back: number): string => `The run ends here${back ? ` and ${of(back, "step is", "steps are")} taken back` : ""}; an open alert stays open.`,
    silenceBody: (deny: boolean, at: string): string => (deny ? `Same as reject, at ${at}.` : `Same as approve, at ${at}.`),
    comment: "Comment, kept in the audit log", example: "Optional when approving, asked for when rejecting",
    reject: "Reject", approve: "Approve", needComment: "Say why: a rejection is kept with its reason.",
    role: (role: string) => `Someone with the role ${role} may answer.`, locked: (role: string) => `You cannot answer: this asks for the role ${role}.`,
    count: (have: number, need: number) => `${have} of ${need} answers given.`,
    changed: "The question changed while you read it. Nothing was answered; read it again.",
    answered: { approved: "Approved", rejected: "Rejected", expired: "Lapsed unanswered", withdrawn: "Withdrawn" } as Record<string, string>,
    failed: "The answer was not taken. The run still waits.",
  },

  alerts: {
    title: "Alerts",
    answer: (open: number, critical: number, acknowledged: number) =>
      open === 0 ? (acknowledged ? "Every open alert has someone on it" : "No alert is open")
        : `${open === 1 ? "One alert is open" : `${Cap(say(open))} alerts are open`}${critical === 0 ? "" : open === 1 ? " and it is critical" : `; ${critical === 1 ? "one is" : `${say(critical)} are`} critical`}`,
    sub: (acknowledged: number, resolved: number) => [`${acknowledged} acknowledged`, `${resolved} resolved lately`],
    open: "Open", acknowledged: "Acknowledged", resolved: "Resolved",
    empty: "No alert has been raised", emptyBody: "A rule that says alert raises one; it stands here until it resolves.",
    nobody: "Nobody yet", itself: "By itself", stale: "stale", wakilRan: "Wakil ran ", why: "Why?", acknowledge: "Acknowledge",
    locked: "Only an operator or an admin may acknowledge.", failed: "The alert was not acknowledged. It is still open.",
  },

  ago: (seconds: number): string => `${age(seconds)} ago`,
};

export type Words = typeof en;
