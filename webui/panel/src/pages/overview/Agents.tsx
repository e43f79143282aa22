import type { Agent, AgentState } from "../../api/types";
import { Blank, Sheet } from "../../components/Sheet";
import { AgentStatus } from "../../components/Status";
import { Code } from "../../components/Text";
import { useLive } from "../../live/store";
import { words } from "../../words";

const RANK: Record<AgentState, number> = { failed: 0, silent: 1, stopped: 2, running: 3 };

/** What is worth saying beside the name: a failure, else its pace. */
function note(agent: Agent): string {
  if (agent.state === "failed" && agent.last_error) return agent.last_error;
  if (agent.failures > 0) return words.overview.failures(agent.failures);
  return words.overview.every(agent.every_seconds);
}

export function Agents() {
  const agents = [...(useLive().status?.agents ?? [])].sort((a, b) => RANK[a.state] - RANK[b.state]);
  const live = agents.filter((agent) => agent.state === "running").length;
  return (
    <Sheet id="agents" className="c4" title={words.overview.agentsTitle} note={words.overview.agentsNote(live, agents.length - live)}>
      {agents.length === 0 ? (
        <Blank title={words.overview.noAgents} body={words.overview.noAgentsBody} />
      ) : (
        <table className="agents">
          <tbody>
            {agents.map((agent) => (
              <tr key={agent.id} title={agent.description}>
                <td>
                  <Code>{agent.id}</Code>
                </td>
                <td className="t2 wide">{note(agent)}</td>
                <td className="end">
                  <AgentStatus state={agent.state} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Sheet>
  );
}
