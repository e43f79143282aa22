import type { Approval, Run } from "../../api/types";
import { Icon } from "../../components/Icon";
import { Blank, Sheet } from "../../components/Sheet";
import { Actor } from "../../components/Status";
import { Code, Time } from "../../components/Text";
import { nameOf } from "../../live/story";
import { words } from "../../words";

function Answers({ answered }: { answered: Approval[] }) {
  if (answered.length === 0) return null;
  return (
    <ul className="answers">
      {answered.map((one) => (
        <li key={one.id}>
          <span className="strong">{words.approval.answered[one.status] ?? one.status}</span>: {one.message}
          {one.answers.map((answer, index) => (
            <div key={index} className="row tight t2 small">
              <Actor person={nameOf(answer.by)} /> {nameOf(answer.by)}, <Time at={answer.at} seconds />
              {answer.comment && `: “${answer.comment}”`}
            </div>
          ))}
        </li>
      ))}
    </ul>
  );
}

/** What can be taken back, the last step first; and the answers given so far. */
export function WayBack({ run, answered }: { run: Run; answered: Approval[] }) {
  const back = run.way_back ?? [];
  return (
    <Sheet id="wayback" title={words.run.wayBack} note={back.length > 0 ? words.run.wayBackNote : undefined}>
      {back.length === 0 ? (
        <Blank title={words.run.noWay} body={words.run.noWayBody} />
      ) : (
        <div className="pad">
          <ol className="undo">
            {back.map((one, index) => (
              <li key={one.path}>
                <span>
                  {one.status === "failed" ? (
                    <Icon name="x" />
                  ) : one.status === "rolled_back" || one.status === "succeeded" ? (
                    <Icon name="check" />
                  ) : (
                    index + 1
                  )}
                </span>
                <div>
                  <span className="medium">{one.name}</span>
                  <br />
                  <span className="t2 small">
                    {one.uses && one.uses !== one.name && <Code>{one.uses}</Code>} {words.run.back[one.status] ?? one.status}
                  </span>
                </div>
              </li>
            ))}
          </ol>
        </div>
      )}
      {answered.length > 0 && (
        <div className="pad">
          <Answers answered={answered} />
        </div>
      )}
    </Sheet>
  );
}
