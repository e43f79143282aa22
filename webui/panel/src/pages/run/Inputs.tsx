import { Fragment } from "react";
import type { Run } from "../../api/types";
import { Sheet } from "../../components/Sheet";
import { Code } from "../../components/Text";
import { words } from "../../words";

export function Inputs({ run }: { run: Run }) {
  const rows: [string, string][] = [
    ...Object.entries(run.inputs ?? {}).map(([name, value]): [string, string] => [name, typeof value === "string" ? value : JSON.stringify(value)]),
    ...(run.host ? [[words.run.host, run.host] as [string, string]] : []),
    [words.run.requester, run.requester],
    ...(run.commit ? [[words.run.commit, run.commit.slice(0, 12)] as [string, string]] : []),
  ];
  return (
    <Sheet id="inputs" title={words.run.inputs}>
      <div className="pad">
        <dl className="kv two">
          {rows.map(([name, value]) => (
            <Fragment key={name}>
              <dt>{name}</dt>
              <dd>
                <Code>{value}</Code>
              </dd>
            </Fragment>
          ))}
          <dt>{words.run.survives}</dt>
          <dd>{words.run.survivesBody}</dd>
        </dl>
      </div>
    </Sheet>
  );
}
