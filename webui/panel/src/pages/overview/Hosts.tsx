import { useState } from "react";
import type { Host, HostState, Point } from "../../api/types";
import { Spark } from "../../components/Charts";
import { Blank, Sheet } from "../../components/Sheet";
import { HostStatus } from "../../components/Status";
import { Code, Value } from "../../components/Text";
import { percent } from "../../format/number";
import { age, epoch } from "../../format/time";
import { useNow } from "../../live/hooks";
import { useLive } from "../../live/store";
import { words } from "../../words";

const SHOWN = 6;
const RANK: Record<HostState, number> = { critical: 0, silent: 1, warning: 2, well: 3 };

/** Worst first; of one state, by the fullest disk. */
export function byTrouble(a: Host, b: Host): number {
  return RANK[a.state] - RANK[b.state] || (b.disk?.used_percent ?? 0) - (a.disk?.used_percent ?? 0) || (a.name < b.name ? -1 : 1);
}

function Share({ value, points }: { value: number | null; points: Point[] }) {
  return (
    <span className="pair">
      <span>
        <Value>{percent(value, true)}</Value>
      </span>
      <Spark points={points} />
    </span>
  );
}

function Row({ host }: { host: Host }) {
  const now = useNow();
  const { columns } = words.overview;
  return (
    <tr>
      <td className="nolabel" title={host.name}>
        <Code strong>{host.name}</Code>
      </td>
      <td className="nolabel end2">
        <HostStatus state={host.state} />
      </td>
      <td className="n" data-l={columns.cpu}>
        <Share value={host.cpu} points={host.cpu_history} />
      </td>
      <td className="n" data-l={columns.memory}>
        <Share value={host.memory} points={host.memory_history} />
      </td>
      <td className="n" data-l={columns.disk}>
        {host.disk ? (
          <span className="pair disk">
            <span className="t2" title={host.disk.mount}>
              <Code>{host.disk.mount}</Code>
            </span>
            <span className={host.disk.used_percent >= 90 ? "strong full" : "full"}>
              <Value>{percent(host.disk.used_percent)}</Value>
            </span>
          </span>
        ) : (
          "–"
        )}
      </td>
      <td className="n t2 only-wide" data-l={columns.last}>
        {host.last_fact ? <Value>{age(now - epoch(host.last_fact))}</Value> : "–"}
      </td>
    </tr>
  );
}

export function Hosts() {
  const hosts = [...(useLive().status?.hosts ?? [])].sort(byTrouble);
  const [all, setAll] = useState(false);
  const shown = all ? hosts : hosts.slice(0, SHOWN);
  const { columns } = words.overview;
  return (
    <Sheet
      id="hosts"
      className="c8"
      title={words.overview.hostsTitle}
      note={words.overview.hostsNote(shown.length, hosts.length)}
      aside={
        shown.length < hosts.length ? (
          <button className="btn quiet small" type="button" onClick={() => setAll(true)}>
            {words.overview.allHosts(hosts.length)}
          </button>
        ) : undefined
      }
    >
      {hosts.length === 0 ? (
        <Blank icon="agents" title={words.overview.noHosts} body={words.overview.noHostsBody} />
      ) : (
        <table className="rs">
          <thead>
            <tr>
              <th>{columns.host}</th>
              <th>{columns.state}</th>
              <th className="n">{columns.cpu}</th>
              <th className="n">{columns.memory}</th>
              <th className="n">{columns.disk}</th>
              <th className="n">{columns.last}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((host) => (
              <Row key={host.name} host={host} />
            ))}
          </tbody>
        </table>
      )}
    </Sheet>
  );
}
