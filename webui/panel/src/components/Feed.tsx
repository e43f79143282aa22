import { useLive } from "../live/store";
import { marks, personOf, type Story } from "../live/story";
import { tell } from "../live/tell";
import { Link } from "./Link";
import { MicroChain } from "./MicroChain";
import { Actor, OutcomeStatus } from "./Status";
import { Say, Time } from "./Text";

/** Where a row leads: a firing's chain, or the run that a person started. */
const addressOf = (story: Story): string => (story.decisions[0] ? `/decisions/${story.decisions[0].firing}` : `/runs/${story.run?.id ?? ""}`);

/** What happened, newest first: when, who, what, and how far it got. */
export function Feed({ stories, day = false }: { stories: Story[]; day?: boolean }) {
  const paused = useLive().status?.automation.paused ?? false;
  return (
    <ol className={`rows feed ${day ? "days" : ""}`} aria-live="polite">
      {stories.map((story) => {
        const person = story.run ? personOf(story.run) : null;
        return (
          <li key={story.id}>
            <Time at={story.at} day={day} />
            <Actor person={person} />
            <div>
              <Link className="story" to={addressOf(story)}>
                <Say of={tell(story, paused)} />
              </Link>
            </div>
            <div className="out">
              <OutcomeStatus outcome={story.outcome} />
              <MicroChain marks={marks(story.outcome)} person={person !== null} />
            </div>
          </li>
        );
      })}
    </ol>
  );
}
