import { Fragment } from "react";
import type { Because, FactJson, Firing, Json } from "../../api/types";
import { Code } from "../../components/Text";

const show = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value));

function Token({ value }: { value: Json }) {
  return <span className={typeof value === "number" ? "n" : "s"}>{show(value)}</span>;
}

/** A fact as it came; the field that the rule watched is marked. */
export function FactLine({ fact, field }: { fact: FactJson; field: string | null }) {
  const entries: [string, Json][] = [...(fact.host ? [["host", fact.host] as [string, Json]] : []), ...Object.entries(fact.data ?? {})];
  const watched = field?.split(".").at(-1) ?? "";
  return (
    <div className="ev wrap">
      <span className="k">{fact.kind}</span>
      {"{"}
      {entries.map(([name, value], index) => (
        <Fragment key={name}>
          {index > 0 && ", "}
          <span className={name === watched ? "hl" : undefined}>
            {name}: <Token value={value} />
          </span>
        </Fragment>
      ))}
      {"}"}
    </div>
  );
}

/** The values that the condition's fields had in the fact it held for. */
export function Evidence({ because }: { because: Because }) {
  const { fact, condition } = because;
  if (!fact) return null;
  const used = Object.entries(fact.data ?? {}).filter(([name]) => new RegExp(`\\b${name.replace(/[^\w]/g, "")}\\b`).test(condition));
  if (used.length === 0) return null;
  return <Code>{used.map(([name, value]) => `${name} = ${show(value)}`).join(", ")}</Code>;
}

const KEY = /^(\s*(?:- )?)([\w-]+)(:)(.*)$/;
const EXPRESSIONS = new Set(["when", "until", "unless", "that", "if", "any", "all"]);

/** One line of YAML, coloured as the editor does: keys, expressions, text, numbers, comments, templates. */
function Line({ text }: { text: string }) {
  if (/^\s*#/.test(text)) return <span className="c">{text}</span>;
  const match = KEY.exec(text);
  if (!match) return <>{text}</>;
  const [, lead = "", name = "", colon = "", rest = ""] = match;
  const look = EXPRESSIONS.has(name) ? "e" : /^\s*[\d.]+\w*$/.test(rest) ? "n" : "s";
  return (
    <>
      {lead}
      <span className="k">{name}</span>
      {colon}
      <span className={look}>
        {rest.split(/(\{\{.*?\}\})/).map((part, index) =>
          part.startsWith("{{") ? (
            <span key={index} className="j">
              {part}
            </span>
          ) : (
            part
          ),
        )}
      </span>
    </>
  );
}

export function Source({ source }: { source: NonNullable<Firing["source"]> }) {
  const label = `${source.file}:${source.line}`;
  return (
    <div className="ev" tabIndex={0} role="region" aria-label={label}>
      {source.lines.map((text, index) => (
        <Fragment key={index}>
          <span className="ln">{source.line + index}</span>
          <Line text={text} />
          {"\n"}
        </Fragment>
      ))}
    </div>
  );
}
