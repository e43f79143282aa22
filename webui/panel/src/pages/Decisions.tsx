import { useState } from "react";
import { get } from "../api/client";
import type { Decision, Page } from "../api/types";
import { Feed } from "../components/Feed";
import { atTop, Fresh } from "../components/Fresh";
import { Blank, Sheet, Skeleton } from "../components/Sheet";
import { useHeld, useLate } from "../live/hooks";
import { useLive } from "../live/store";
import { stories } from "../live/story";
import { words } from "../words";
import { useTitle } from "./title";

const STEP = 60;

/** Older decisions than those the store holds, a page at a time. */
function useOlder(): { older: Decision[]; more: (() => void) | null } {
  const [older, setOlder] = useState<Decision[]>([]);
  const [next, setNext] = useState<string | null | undefined>(undefined);
  const fetchMore = (): void => {
    const cursor = next ? `&cursor=${encodeURIComponent(next)}` : "";
    const limit = next === undefined ? STEP * 2 : STEP;
    get<Page<Decision>>(`/decisions?limit=${limit}${cursor}`).then(
      (page) => {
        setOlder((known) => [...known, ...page.items]);
        setNext(page.next);
      },
      // The button stays, and the band says that the connection is gone.
      () => undefined,
    );
  };
  return { older, more: next === null ? null : fetchMore };
}

export function Decisions() {
  useTitle(words.decisions.title);
  const { decisions, runs, loaded } = useLive();
  const { older, more } = useOlder();
  const late = useLate(!loaded);
  const known = new Set(decisions.map((one) => one.id));
  const all = stories([...decisions, ...older.filter((one) => !known.has(one.id))], runs).filter((story) => story.decisions.length > 0);
  const { shown, fresh, show } = useHeld(all, () => atTop() || older.length > 0);
  return (
    <>
      <div className="head">
        <div>
          <h1>{loaded ? words.decisions.answer(all.length) : words.decisions.title}</h1>
          <p className="sub">{words.decisions.sub}</p>
        </div>
      </div>
      <Sheet
        id="list"
        className="hold"
        title={words.decisions.title}
        aside={<Fresh count={fresh} show={show} />}
        footer={
          more && decisions.length >= STEP ? (
            <button className="btn small" type="button" onClick={more}>
              {words.states.more}
            </button>
          ) : undefined
        }
      >
        {!loaded ? (
          late && <Skeleton lines={8} />
        ) : shown.length === 0 ? (
          <Blank icon="decisions" title={words.overview.quiet} body={words.overview.quietBody} />
        ) : (
          <Feed stories={shown} day />
        )}
      </Sheet>
    </>
  );
}
