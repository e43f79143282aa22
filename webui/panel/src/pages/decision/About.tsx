import type { Firing } from "../../api/types";
import { Sheet } from "../../components/Sheet";
import { SeverityStatus } from "../../components/Status";
import { Code, Time } from "../../components/Text";
import { words } from "../../words";

const show = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

export function About({ firing }: { firing: Firing }) {
  const said = words.decision;
  const key = Object.entries(firing.key).map(([name, value]) => `${name}=${show(value)}`);
  const labels = Object.entries(firing.alert?.labels ?? {});
  return (
    <Sheet id="about" title={said.about} footer={<Code>{`wakil explain ${firing.firing}`}</Code>}>
      <div className="pad">
        <dl className="kv">
          <dt>{said.firing}</dt>
          <dd>
            <Code>{firing.firing}</Code>
          </dd>
          {key.length > 0 && (
            <>
              <dt>{said.key}</dt>
              <dd>
                <Code>{key.join(" ")}</Code>
              </dd>
            </>
          )}
          <dt>{said.at}</dt>
          <dd>
            <Time at={firing.at} seconds day />
          </dd>
          {firing.alert && (
            <>
              <dt>{said.severity}</dt>
              <dd>
                <SeverityStatus severity={firing.alert.severity} over={firing.resolved !== null} />
              </dd>
            </>
          )}
          {labels.length > 0 && (
            <>
              <dt>{said.labels}</dt>
              <dd className="row tight">
                {labels.map(([name, value]) => (
                  <span key={name} className="tag">
                    {name}: {value}
                  </span>
                ))}
              </dd>
            </>
          )}
          {firing.commit && (
            <>
              <dt>{said.commit}</dt>
              <dd>
                <Code>{firing.commit.slice(0, 12)}</Code>
              </dd>
            </>
          )}
        </dl>
      </div>
    </Sheet>
  );
}
