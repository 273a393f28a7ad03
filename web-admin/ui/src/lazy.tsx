// Pages whose code and words come when they are first wanted, so that no page waits for the others' (build.mjs checks the sizes).
import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Failure, Loading } from "./parts";
import { type Page, wordsFor } from "./words";

/** `page`: its row in words/areas.json, which has the name of its file. */
export function lazy<P extends object>(page: Page, load: () => Promise<ComponentType<P>>): (props: P) => JSX.Element {
  let ready: ComponentType<P> | undefined;
  return function Late(props: P): JSX.Element {
    const [, arrived] = useState(ready !== undefined);
    const [error, setError] = useState<unknown>();
    useEffect(() => {
      if (!ready) Promise.all([load(), wordsFor(page)]).then(([loaded]) => { ready = loaded; arrived(true); }, setError);
    }, []);
    const Page = ready;
    if (Page) return <Page {...props} />;
    // After an update of the server the old files are gone: the page loaded anew has the new ones.
    return error === undefined ? <Loading rows={6} /> : <Failure error={error} retry={() => location.reload()} />;
  };
}
