import type { Mark, Marks } from "../live/story";
import { words } from "../words";
import { Icon, type IconName } from "./Icon";

const SHAPES: [keyof typeof words.chainMark & IconName, ...(keyof typeof words.chainMark & IconName)[]] = [
  "fact",
  "cond",
  "rule",
  "dec",
  "run",
  "seal",
];

function label(marks: Marks): string {
  if (marks.every((mark) => mark === "on")) return words.reachedAll;
  const reached = marks.reduce((last, mark, index) => (mark === "on" || mark === "bad" || mark === "wait" ? index : last), 0);
  const shape = SHAPES[reached] ?? "fact";
  return words.reached(words.chainMark[shape], reached + 1);
}

/** Six marks on a row: how far a thing got and where it stopped. */
export function MicroChain({ marks, person = false }: { marks: Marks; person?: boolean }) {
  const shown: [IconName, Mark][] = person
    ? [
        ["person", "wait"],
        ["run", marks[4]],
        ["seal", marks[5]],
      ]
    : SHAPES.map((shape, index): [IconName, Mark] => [shape, marks[index] ?? "no"]);
  return (
    <span className="mc" role="img" aria-label={person ? words.byPerson : label(marks)}>
      {shown.map(([shape, mark], index) => (
        <span key={shape} className="mc-link">
          {index > 0 && <i className={mark === "on" ? "on" : ""} />}
          <Icon name={shape} className={`${mark}${shape === "dec" ? " flip" : ""}`} />
        </span>
      ))}
    </span>
  );
}
