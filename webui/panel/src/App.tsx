import { useCallback, useEffect, useState } from "react";
import { AccountProvider } from "./account";
import { onSignedOut, Problem, rememberCsrf, remove, session as sessions } from "./api/client";
import type { Session } from "./api/types";
import { Failure } from "./components/Sheet";
import { Frame } from "./components/Frame";
import { forget, load, useLive } from "./live/store";
import { connect, disconnect } from "./live/socket";
import { AccountPage } from "./pages/Account";
import { Alerts } from "./pages/Alerts";
import { Decision } from "./pages/Decision";
import { Decisions } from "./pages/Decisions";
import { Missing } from "./pages/Missing";
import { Overview } from "./pages/Overview";
import { Run } from "./pages/Run";
import { Runs } from "./pages/Runs";
import { SetUp } from "./pages/SetUp";
import { SignIn } from "./pages/SignIn";
import { go, routeOf, usePath, type Route } from "./router";

function Page({ route }: { route: Route }) {
  switch (route.page) {
    case "overview":
      return <Overview />;
    case "decisions":
      return <Decisions />;
    case "decision":
      return <Decision key={route.id} id={route.id} />;
    case "runs":
      return <Runs />;
    case "run":
      return <Run key={route.id} id={route.id} />;
    case "alerts":
      return <Alerts />;
    case "account":
      return <AccountPage />;
    default:
      return <Missing />;
  }
}

/** The panel of somebody signed in: loads once, then lives on events. */
function Inside({ route }: { route: Route }) {
  const { loaded } = useLive();
  const [problem, setProblem] = useState<Problem | null>(null);
  const begin = useCallback(() => {
    setProblem(null);
    load().catch((error: unknown) => {
      setProblem(error instanceof Problem ? error : new Problem(0, "no_answer", "", String(error)));
    });
  }, []);
  useEffect(() => {
    begin();
    void connect();
    return disconnect;
  }, [begin]);
  return <Frame page={route.page}>{problem && !loaded ? <Failure problem={problem} again={begin} /> : <Page route={route} />}</Frame>;
}

type Gate = "asking" | "out" | "ended" | "gone" | Session;

export function App() {
  const route = routeOf(usePath());
  const [gate, setGate] = useState<Gate>("asking");

  const ask = useCallback(() => {
    sessions.current().then(
      (session) => {
        rememberCsrf(session);
        setGate(session);
      },
      (error: unknown) => setGate(error instanceof Problem && error.status !== 401 ? "gone" : "out"),
    );
  }, []);

  useEffect(() => {
    onSignedOut(() => {
      disconnect();
      forget();
      setGate("ended");
    });
    ask();
  }, [ask]);

  const enter = (session: Session): void => {
    rememberCsrf(session);
    setGate(session);
    if (route.page === "setup") go("/", true);
  };

  const signOut = (): void => {
    const out = (): void => {
      disconnect();
      forget();
      rememberCsrf(null);
      setGate("out");
      go("/", true);
    };
    // A session that the server has already forgotten is as signed out as one can be.
    remove("/session").then(out, out);
  };

  if (gate === "asking") return null;
  if (gate === "gone") {
    return (
      <main className="door" id="main">
        <Failure problem={new Problem(0, "no_answer", "", "")} again={ask} />
      </main>
    );
  }
  if (typeof gate === "string") {
    if (route.page === "setup") return <SetUp enter={enter} toSignIn={() => go("/", true)} />;
    return <SignIn enter={enter} ended={gate === "ended"} />;
  }
  return (
    <AccountProvider value={{ session: gate, signOut }}>
      <Inside route={route.page === "setup" ? { page: "overview" } : route} />
    </AccountProvider>
  );
}
