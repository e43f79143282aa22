import { useRef, useState } from "react";
import type { Run } from "../../api/types";
import { Sheet } from "../../components/Sheet";
import { Status } from "../../components/Status";
import { words } from "../../words";

type Part = { key: string; name: string; lines: string[] };

function partsOf(run: Run): Part[] {
  return (run.steps ?? [])
    .filter((step) => step.log)
    .map((step) => ({ key: `${step.path}-${step.attempt}`, name: step.uses || step.name, lines: step.log.replace(/\n$/, "").split("\n") }));
}

/** What the steps wrote, newest last; it follows until told to hold. */
export function Output({ run }: { run: Run }) {
  const [following, setFollowing] = useState(true);
  const held = useRef<Part[]>([]);
  if (following) held.current = partsOf(run);
  const parts = held.current;
  const count = parts.reduce((sum, part) => sum + part.lines.length, 0);
  const ended = run.ended !== null;
  return (
    <Sheet
      id="output"
      title={words.run.output}
      note={words.run.outputStep(count)}
      aside={
        ended ? undefined : (
          <>
            <Status icon={following ? "play" : "pause"} tone={following ? "wakil" : ""}>
              {following ? words.run.following : words.run.held}
            </Status>
            <button className="btn small" type="button" onClick={() => setFollowing(!following)}>
              {following ? words.run.stop : words.run.follow}
            </button>
          </>
        )
      }
      footer={<span>{words.run.masked}</span>}
    >
      <div className="term" tabIndex={0} role="log" aria-label={words.run.outputLabel}>
        <div>
          {count === 0 && <span className="ts">{words.run.noOutput}</span>}
          {parts.map((part) => (
            <div key={part.key}>
              <span className="hi">{part.name}</span>
              {"\n"}
              {part.lines.map((line, index) => (
                <span key={index}>
                  {"  "}
                  {line}
                  {"\n"}
                </span>
              ))}
            </div>
          ))}
        </div>
      </div>
    </Sheet>
  );
}
