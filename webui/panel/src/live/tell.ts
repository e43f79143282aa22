import type { Run } from "../api/types";
import { epoch, span } from "../format/time";
import { words, type Rich } from "../words";
import { marked, outcomeOfRun, personOf, placeOf, type Story } from "./story";

const took = (run: Run): string => (run.started && run.ended ? span(epoch(run.ended) - epoch(run.started)) : "–");

/** The sentence of a run, without who asked for it. */
function tellRun(run: Run, key: Story["decisions"][number]["key"] | null, paused: boolean): Rich {
  const said = words.story.run;
  const place = placeOf(key, run.host);
  const rule = run.rule ? (run.rule.split("/").at(-1) ?? run.rule) : null;
  switch (outcomeOfRun(run)) {
    case "rolledBack":
      return said.rolledBack(run.playbook, place, run.error);
    case "failed":
      return said.failed(run.playbook, place, run.error);
    case "held":
      return said.refused(run.playbook, place, run.reasons.join("; "));
    case "observed":
      return said.observed(run.playbook, place);
    case "waiting":
      return said.waiting(run.playbook, place);
    case "running":
      return said.running(run.playbook, place);
    case "queued":
      return (paused ? said.paused : said.queued)(run.playbook, place);
    case "unknown":
      return said.unknown(run.playbook, place);
    default:
      return said.succeeded(run.playbook, place, took(run), rule);
  }
}

const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value ?? ""));

/** The sentence of one row of "what happened"; `paused`: automation is, so that what is queued is held. */
export function tell(story: Story, paused = false): Rich {
  const said = words.story;
  const first = story.decisions[0];
  if (story.run) {
    const person = personOf(story.run);
    return [...tellRun(story.run, first?.key ?? null, paused), ...(person ? said.person(person) : [])];
  }
  if (!first) return [];
  const ended = story.decisions.find((one) => one.decision === "resolve");
  const main = story.decisions.find((one) => one.decision === "alert") ?? story.decisions.find((one) => one !== ended) ?? first;
  switch (main.decision) {
    case "alert":
      return [
        ...said.alert(marked(text(main.data["text"]), main.key)),
        ...(ended ? said.alertEnded(span(Math.max(0, epoch(ended.at) - epoch(main.at)))) : []),
      ];
    case "resolve":
      return said.resolved(main.rule, placeOf(main.key));
    case "notify":
      return said.notify(text(main.data["to"]), text(main.data["text"]));
    case "fact":
      return said.fact(text(main.data["kind"]), main.rule);
    case "require":
    case "prefer":
    case "deny":
    case "ask":
      return said.asked(main.decision, main.rule);
    default:
      return said.other(main.rule, placeOf(main.key));
  }
}
