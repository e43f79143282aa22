import type { ReactNode } from "react";
import type { Firing } from "../../api/types";
import { Icon, type IconName } from "../../components/Icon";
import { Status } from "../../components/Status";
import { Code, Say, Time } from "../../components/Text";
import { clock, epoch, span } from "../../format/time";
import { outcomeOfFiring, placeOf } from "../../live/story";
import { words, type Rich } from "../../words";
import { outputsText } from "../run/outputs";
import { Evidence, FactLine, Source } from "./Evidence";
import { RunNode } from "./RunNode";
import { durationSeconds, durationText, durationWords, isCount } from "./timing";

type NodeProps = {
  step: number;
  icon: IconName;
  name: string;
  at: ReactNode;
  after?: ReactNode;
  tone?: "" | "off" | "bad";
  stop?: boolean;
  title: ReactNode;
  children?: ReactNode;
};

/** One link of the chain: when, its mark, what it is, and its evidence. */
export function Node({ step, icon, name, at, after, tone = "", stop = false, title, children }: NodeProps) {
  return (
    <li className={stop ? "stop" : ""}>
      <div className="at">
        {at}
        {after !== undefined && <small>{after}</small>}
      </div>
      <span className={`g ${tone}`} aria-hidden="true">
        <Icon name={icon} className={icon === "dec" ? "flip" : ""} />
      </span>
      <div className="body">
        <div className="w">
          {step} · {name}
        </div>
        <h2 className="t">{title}</h2>
        {children !== undefined && <div className="b">{children}</div>}
      </div>
    </li>
  );
}

/** How much later a moment is than another, as the chain says it. */
export function later(from: string, to: string): string {
  const seconds = epoch(to) - epoch(from);
  return seconds <= 0 ? words.decision.same : words.decision.later(span(seconds));
}

function FactNode({ firing }: { firing: Firing }) {
  const facts = firing.because.flatMap((one) => (one.fact ? [one.fact] : []));
  const unique = facts.filter((fact, index) => facts.findIndex((other) => JSON.stringify(other) === JSON.stringify(fact)) === index);
  const fact = unique[0];
  const said = words.decision;
  const seen = fact?.at ?? firing.at;
  return (
    <Node
      step={1}
      icon="fact"
      name={words.chainMark.fact}
      at={<Time at={seen} seconds />}
      after={said.seen}
      tone={fact ? "" : "off"}
      title={fact ? <Say of={said.fact(fact.kind, placeOf(firing.key, fact.host ?? null))} /> : said.noFact}
    >
      {unique.slice(0, 3).map((one, index) => (
        <FactLine key={index} fact={one} field={firing.series?.field ?? null} />
      ))}
      {unique.length > 3 && <p className="t2">{said.moreFacts(unique.length - 3)}</p>}
    </Node>
  );
}

function ConditionNode({ firing }: { firing: Firing }) {
  const said = words.decision;
  const timing = Object.entries(firing.timing ?? {}).filter(([name, value]) => value !== null && name !== "until" && name !== "resolve_after");
  const held = firing.timing?.["for"] ?? null;
  const first = firing.because.find((one) => one.fact)?.fact?.at ?? firing.at;
  const since = durationSeconds(held);
  return (
    <Node
      step={2}
      icon="cond"
      name={words.chainMark.cond}
      at={<Time at={firing.at} seconds />}
      after={since === null ? later(first, firing.at) : said.since(clock(new Date((epoch(firing.at) - since) * 1000).toISOString(), true))}
      title={held !== null ? said.allTrueFor : said.allTrue}
    >
      <ul className="cond">
        {firing.because.map((one, index) => (
          <li key={index}>
            <Status icon="check" tone="wakil">
              {said.true}
            </Status>
            <Code>{one.condition}</Code>
            <span className="t2">
              <Evidence because={one} />
            </span>
          </li>
        ))}
        {timing.map(([name, value]) => (
          <li key={name}>
            <Status icon="check" tone="wakil">
              {name === "throttle" ? said.free : said.held}
            </Status>
            <Code>{`${name}: ${isCount(name) ? String(value) : durationText(value ?? null)}`}</Code>
            <span className="t2">{name === "for" ? said.heldNote(durationWords(value ?? null)) : said.timing(name)}</span>
          </li>
        ))}
      </ul>
    </Node>
  );
}

function RuleNode({ firing }: { firing: Firing }) {
  const said = words.decision;
  const where = firing.source ?? firing.because[0] ?? null;
  const commit = firing.commit ? `@${firing.commit.slice(0, 7)}` : "";
  return (
    <Node
      step={3}
      icon="rule"
      name={words.chainMark.rule}
      at={<Code>{firing.ruleset}</Code>}
      title={
        <>
          <Code>{firing.rule}</Code>
          {where && (
            <>
              {said.ruleAt}
              <span className="src plain">{`${where.file}:${where.line}${commit}`}</span>
            </>
          )}
        </>
      }
    >
      {firing.source ? <Source source={firing.source} /> : <p className="t2">{said.noSource}</p>}
    </Node>
  );
}

const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value ?? ""));

function did(firing: Firing): Rich {
  const said = words.decision;
  // What ended the firing belongs to the outcome.
  const made = firing.decisions.filter((one) => one.decision !== "resolve");
  const parts = (made.length > 0 ? made : firing.decisions).map((one): Rich => {
    switch (one.decision) {
      case "alert":
        return [said.raise];
      case "run":
        return said.runIt(text(one.data["playbook"]));
      case "notify":
        return said.tell(text(one.data["to"]));
      case "fact":
        return said.noteFact(text(one.data["kind"]));
      case "resolve":
        return [said.resolve];
      case "record":
        return [said.record];
      default:
        return said.answerReq(one.decision);
    }
  });
  const joined = parts.flatMap((part, index): Rich => (index === 0 ? part : [said.and, ...part]));
  const [head, ...rest] = joined;
  return typeof head === "string" ? [head.charAt(0).toUpperCase() + head.slice(1), ...rest] : joined;
}

function DecisionNode({ firing }: { firing: Firing }) {
  const said = words.decision;
  return (
    <Node
      step={4}
      icon="dec"
      name={words.chainMark.dec}
      at={<Time at={firing.at} seconds />}
      after={said.same}
      title={<Say of={did(firing)} />}
      stop={firing.runs.length === 0}
    >
      {firing.decisions.map((one) => {
        if (one.decision === "alert") {
          return (
            <p key={one.id} className="t2">
              {said.alertText}: “{text(one.data["text"])}”
            </p>
          );
        }
        if (one.decision === "run") {
          return (
            <div key={one.id} className="ev wrap">
              {`${text(one.data["playbook"])} ${JSON.stringify(one.data["with"] ?? {})}`}
            </div>
          );
        }
        return null;
      })}
    </Node>
  );
}

function OutcomeNode({ firing }: { firing: Firing }) {
  const said = words.decision;
  const outcome = outcomeOfFiring(firing);
  const run = firing.runs.at(-1);
  // A run that has not ended has no outcome yet, whatever became of the alert.
  const at = run ? run.ended : (firing.resolved?.at ?? null);
  const promised =
    outcome === "verified"
      ? run?.steps?.find((step) => step.phase === "verify" && step.status === "succeeded" && step.name && step.name.toLowerCase() !== "verify")
      : undefined;
  const good = outcome === "verified" || outcome === "resolved" || outcome === "applied";
  return (
    <Node
      step={6}
      icon="seal"
      name={words.chainMark.seal}
      at={at ? <Time at={at} seconds /> : "–"}
      after={at ? later(firing.at, at) : undefined}
      tone={good ? "" : outcome === "failed" || outcome === "rolledBack" ? "bad" : "off"}
      title={promised ? <Say of={said.promised(promised.name)} /> : said.outcome[outcome]}
    >
      <p className="t2">
        {run?.error && `${run.error}. `}
        {promised && Object.keys(promised.outputs).length > 0 && `${outputsText(promised.outputs)}. `}
        {firing.resolved ? said.resolvedBy(firing.resolved.reason) : firing.alert && outcome !== "raised" ? said.stillOpen : ""}
      </p>
    </Node>
  );
}

/** Fact, condition, rule, decision, run, outcome. */
export function Chain({ firing }: { firing: Firing }) {
  return (
    <ol className="chain">
      <FactNode firing={firing} />
      <ConditionNode firing={firing} />
      <RuleNode firing={firing} />
      <DecisionNode firing={firing} />
      <RunNode firing={firing} />
      <OutcomeNode firing={firing} />
    </ol>
  );
}
