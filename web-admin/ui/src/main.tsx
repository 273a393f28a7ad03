// The panel's beginning: theme, language, session, then the shell or the sign-in page.
import "./theme";
import { render, type JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError, get, onSignedOut } from "./api";
import { lazy } from "./lazy";
import { Failure, Loading, Toasts } from "./parts";
import { whoAmI, type Session } from "./session";
import { Shell } from "./shell";
import { chooseLanguage, setLanguage, type Language } from "./words";

// WHY late: who is signed in does not need it, and no page may wait for more code than it shows.
const SignIn = lazy("sign-in", () => import("./pages/sign-in").then((m) => m.SignIn));
const SetUpPage = lazy("setup", () => import("./pages/setup").then((m) => m.SetUpPage));

/** A server that is not set up answers nothing but its set-up. */
const needsSetUp = (failure: unknown): Promise<boolean> =>
  failure instanceof ApiError && failure.status === 503 ? get<{ set_up: boolean }>(["setup"]).then((now) => !now.set_up, () => false) : Promise.resolve(false);

function saved(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

const first = chooseLanguage(saved("posthus-language"), navigator.languages);

function Panel(): JSX.Element {
  const [language, choose] = useState<Language>(first);
  const [session, setSession] = useState<Session | null | undefined>(undefined);
  const [isLost, setLost] = useState(false);
  const [error, setError] = useState<unknown>();
  const [isNew, setNew] = useState(false);
  const change = (to: Language): void => {
    try {
      localStorage.setItem("posthus-language", to);
    } catch {
      // Without storage the choice holds until the page is closed.
    }
    void setLanguage(to).then(() => choose(to));
  };
  const ask = (): void => {
    setError(undefined);
    whoAmI().then(setSession, async (failure: unknown) => {
      if (failure instanceof ApiError && failure.status === 401) setSession(null);
      else if (await needsSetUp(failure)) setNew(true);
      else setError(failure);
    });
  };
  useEffect(() => onSignedOut(() => {
    if (session) setLost(true);
    setSession(null);
  }), [session]);
  useEffect(ask, []);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  if (isNew) return <SetUpPage key={language} language={language} setLanguage={change} done={() => { setNew(false); ask(); }} />;
  if (error !== undefined) return <main class="gate" id="main"><Failure error={error} retry={ask} /></main>;
  if (session === undefined) return <Loading />;
  return (
    <>
      {session ? <Shell key={language} session={session} language={language} setLanguage={change} signedOut={() => { setLost(false); setSession(null); }} />
        : <SignIn key={language} language={language} setLanguage={change} isLost={isLost} signedIn={(now) => { setLost(false); setSession(now); }} />}
      <Toasts />
    </>
  );
}

void setLanguage(first).then(() => render(<Panel />, document.getElementById("panel")!));
