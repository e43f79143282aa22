import { Feed } from "../../components/Feed";
import { atTop, Fresh } from "../../components/Fresh";
import { Link } from "../../components/Link";
import { Blank, Sheet } from "../../components/Sheet";
import { useHeld } from "../../live/hooks";
import { useLive } from "../../live/store";
import { stories } from "../../live/story";
import { words } from "../../words";

const SHOWN = 7;

export function Happened() {
  const { decisions, runs } = useLive();
  const all = stories(decisions, runs);
  const { shown, fresh, show } = useHeld(all, atTop);
  const firings = new Set(decisions.map((one) => one.firing)).size;
  return (
    <Sheet
      id="did"
      className="happened"
      title={words.overview.happened}
      note={all.length > 0 ? words.overview.happenedNote(firings, runs.length) : undefined}
      aside={<Fresh count={fresh} show={show} />}
      footer={<Link to="/decisions">{words.overview.allDecisions}</Link>}
    >
      {shown.length === 0 ? (
        <Blank icon="decisions" title={words.overview.quiet} body={words.overview.quietBody} />
      ) : (
        <Feed stories={shown.slice(0, SHOWN)} />
      )}
    </Sheet>
  );
}
