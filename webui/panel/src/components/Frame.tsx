import type { ReactNode } from "react";
import { useAccount } from "../account";
import { openAlerts, waitingRuns } from "../live/state";
import { useLive } from "../live/store";
import type { Route } from "../router";
import { useTheme, type Theme } from "../theme";
import { words } from "../words";
import { Bar } from "./Bar";
import { Icon, type IconName } from "./Icon";
import { Link } from "./Link";
import { OfflineBand } from "./OfflineBand";
import { Actor } from "./Status";

const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const LOOK: Record<Theme, IconName> = { system: "auto", light: "sun", dark: "moon" };

export function ThemeButton() {
  const [theme, setTheme] = useTheme();
  const label = words.theme.next[theme];
  return (
    <button className="btn quiet" type="button" title={label} aria-label={label} onClick={() => setTheme(NEXT[theme])}>
      <Icon name={LOOK[theme]} />
    </button>
  );
}

type Item = { to: string; icon: IconName; name: string; on: Route["page"][]; count?: number; tone?: string; say?: string };

function items(waiting: number, open: number): Item[] {
  const { nav } = words;
  return [
    { to: "/", icon: "overview", name: nav.overview, on: ["overview"] },
    { to: "/decisions", icon: "decisions", name: nav.decisions, on: ["decisions", "decision"] },
    { to: "/runs", icon: "runs", name: nav.runs, on: ["runs", "run"], count: waiting, tone: "you", say: nav.waiting(waiting) },
    { to: "/alerts", icon: "alerts", name: nav.alerts, on: ["alerts"], count: open, tone: "crit", say: nav.open(open) },
  ];
}

function Count({ item }: { item: Item }) {
  if (!item.count) return null;
  return (
    <span className={`count ${item.tone ?? ""}`}>
      <span aria-hidden="true">{item.count}</span>
      <span className="vh">, {item.say}</span>
    </span>
  );
}

/** Navigation, bar and page: the same on every page and size. */
export function Frame({ page, children }: { page: Route["page"]; children: ReactNode }) {
  const live = useLive();
  const { session } = useAccount();
  const list = items(waitingRuns(live).length, openAlerts(live).length);
  return (
    <>
      <a className="skip" href="#main">
        {words.skip}
      </a>
      <div className="app">
        <nav className="nav" aria-label={words.nav.main}>
          <div className="in">
            <Link className="brand" to="/">
              <Icon name="waw" className="mark" />
              <span>{words.brand}</span>
            </Link>
            <h2>{words.nav.watch}</h2>
            {list.map((item) => (
              <Link key={item.to} className="item" to={item.to} current={item.on.includes(page)}>
                <Icon name={item.icon} />
                <span>{item.name}</span>
                <Count item={item} />
              </Link>
            ))}
            <div className="foot">
              <div className="who">
                <Link to="/account" className="me" current={page === "account"}>
                  <Actor person={session.user} />
                  <span>
                    <span className="medium">{session.user}</span>
                    <span className="small t3">{words.roles[session.role]}</span>
                  </span>
                </Link>
                <ThemeButton />
              </div>
            </div>
          </div>
        </nav>
        <Bar />
        <main id="main" tabIndex={-1}>
          <OfflineBand />
          {children}
        </main>
      </div>
      <nav className="tabs" aria-label={words.nav.short}>
        {[...list, { to: "/account", icon: "person" as IconName, name: words.nav.account, on: ["account" as const] }].map((item) => (
          <Link key={item.to} to={item.to} current={(item.on as Route["page"][]).includes(page)}>
            <Icon name={item.icon} />
            <span>{item.name}</span>
            <Count item={item} />
          </Link>
        ))}
      </nav>
    </>
  );
}
