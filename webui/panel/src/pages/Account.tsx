import { useAccount } from "../account";
import { Icon } from "../components/Icon";
import { Sheet } from "../components/Sheet";
import { useTheme, type Theme } from "../theme";
import { words } from "../words";
import { useTitle } from "./title";

const THEMES: Theme[] = ["system", "light", "dark"];

/** Who you are here, how it looks, and the way out. */
export function AccountPage() {
  useTitle(words.nav.account);
  const { session, signOut } = useAccount();
  const [theme, setTheme] = useTheme();
  return (
    <>
      <div className="head">
        <div>
          <h1>{words.account.title(session.user)}</h1>
          <p className="sub">
            {words.roles[session.role]}: {words.account.may[session.role]}
          </p>
        </div>
        <div className="row">
          <button className="btn" type="button" onClick={signOut}>
            {words.account.signOut}
          </button>
        </div>
      </div>
      <div className="stack">
        <Sheet id="look" title={words.account.look}>
          <div className="pad">
            <div className="field">
              <span className="label" id="theme-label">
                {words.theme.label}
              </span>
              <div className="seg" role="group" aria-labelledby="theme-label">
                {THEMES.map((one) => (
                  <button key={one} type="button" aria-pressed={theme === one} onClick={() => setTheme(one)}>
                    {words.theme[one]}
                  </button>
                ))}
              </div>
            </div>
          </div>
        </Sheet>
        <Sheet id="keys" title={words.account.keys}>
          <div className="pad row">
            <kbd>Ctrl .</kbd> <Icon name="pause" /> {words.account.pauseKey}
          </div>
        </Sheet>
      </div>
    </>
  );
}
