import { clock } from "../format/time";
import { reconnectNow } from "../live/socket";
import { useLive } from "../live/store";
import { words } from "../words";
import { Icon } from "./Icon";

/** Says since when the page is no longer live; it lies over the page's foot, so that nothing moves. */
export function OfflineBand() {
  const { connection, lostAt } = useLive();
  if (connection !== "offline" || lostAt === null) return null;
  return (
    <div className="band warn offline" role="status">
      <Icon name="off" />
      <div>
        {words.offline.band(clock(new Date(lostAt * 1000).toISOString(), true))} {words.offline.again}
      </div>
      <button className="btn small" type="button" onClick={reconnectNow}>
        {words.offline.now}
      </button>
    </div>
  );
}
