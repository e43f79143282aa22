import { useState } from "react";
import { mayAs, useAccount } from "../account";
import { esc, post } from "../api/client";
import type { Alert } from "../api/types";
import { dispatch, useLive } from "../live/store";
import { words } from "../words";
import { Icon } from "./Icon";

/** Take an alert on; says why it is locked, and what still holds when it could not be done. */
export function AckButton({ alert, primary = false }: { alert: Alert; primary?: boolean }) {
  const { session } = useAccount();
  const { connection } = useLive();
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  const locked = !mayAs(session.role, "operator") || connection === "offline";
  const why = !locked ? undefined : connection === "offline" ? words.bar.none : words.alerts.locked;

  const press = (): void => {
    if (locked || busy) return;
    setBusy(true);
    setFailed(false);
    post<Alert | null>(`/alerts/acknowledge/${esc(alert.id)}`).then(
      (answer) => {
        setBusy(false);
        const taken = answer && answer.id === alert.id ? answer : { ...alert, acknowledged_by: session.user };
        dispatch({ type: "alert", alert: { ...taken, status: "acknowledged" } });
      },
      () => {
        setBusy(false);
        setFailed(true);
      },
    );
  };

  return (
    <>
      {failed && (
        <span className="st crit small" role="alert">
          <Icon name="crit" />
          {words.alerts.failed}
        </span>
      )}
      <button className={`btn ${locked ? "off" : primary ? "primary" : ""}`} type="button" aria-disabled={locked || busy} title={why} onClick={press}>
        {words.alerts.acknowledge}
      </button>
    </>
  );
}
