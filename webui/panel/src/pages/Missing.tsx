import { Link } from "../components/Link";
import { Blank } from "../components/Sheet";
import { words } from "../words";
import { useTitle } from "./title";

export function Missing() {
  useTitle(words.states.notFound);
  return (
    <>
      <h1 className="vh">{words.states.notFound}</h1>
      <section className="sheet">
        <Blank icon="info" title={words.states.notFound} body={words.states.notFoundBody}>
          <Link className="btn" to="/">
            {words.nav.overview}
          </Link>
        </Blank>
      </section>
    </>
  );
}
