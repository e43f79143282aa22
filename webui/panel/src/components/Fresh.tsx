import { words } from "../words";

/** New rows wait, counted, while their top is out of sight. It keeps its room when there are none. */
export function Fresh({ count, show }: { count: number; show: () => void }) {
  const press = (): void => {
    show();
    window.scrollTo({ top: 0 });
  };
  return (
    <span className="fresh" role="status">
      {count > 0 && (
        <button className="btn small" type="button" onClick={press}>
          {words.states.fresh(count)}
        </button>
      )}
    </span>
  );
}

/** Whether the head of the page, and so the top of its list, is in sight. */
export const atTop = (): boolean => window.scrollY < 120;
