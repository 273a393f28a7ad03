// Sign in: address and password, then the code of a second factor where there is one; what is wrong is said at the password, since the server does not tell which of the two it was.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../api";
import { Field, Head, Icon, sentenceOf } from "../parts";
import { signIn, type Session } from "../session";
import { LanguageAndTheme } from "../shell";
import { t, type Language } from "../words";

export function SignIn(props: { language: Language; setLanguage: (to: Language) => void; signedIn: (session: Session) => void }): JSX.Element {
  const [address, setAddress] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState<string>();
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      const session = await signIn(address.trim(), password, code?.trim());
      if (session) return props.signedIn(session);
      setCode("");
      setBusy(false);
    } catch (failure) {
      setError(failure instanceof ApiError && failure.status === 401 ? t(code === undefined ? "sign-in.wrong" : "factor.wrong") : sentenceOf(failure));
      setBusy(false);
    }
  };
  return (
    <main class="gate" id="main">
      <div class="stack tight">
        <span class="brand"><Icon name="logo" />Posthus</span>
        <Head title={t("sign-in")} about={t("sign-in.about", { host: location.hostname })} />
      </div>
      <form class="card" onSubmit={submit}><div class="pad stack">
        {code === undefined ? <>
        <Field label={t("address")} name="address" type="email" autocomplete="username" value={address} onInput={setAddress} required autofocus />
        <Field label={t("password")} name="password" type="password" autocomplete="current-password" value={password} onInput={setPassword} required {...(error ? { error } : {})} />
        </> : <Field key="code" label={t("factor.code")} name="code" autocomplete="one-time-code" value={code} onInput={setCode} required autofocus hint={t("factor.code.hint")} {...(error ? { error } : {})} />}
        <button class="btn primary wide" disabled={isBusy}>{t("sign-in")}</button>
        {code !== undefined && <button type="button" class="btn quiet wide" onClick={() => { setCode(undefined); setPassword(""); setError(undefined); }}>{t("back")}</button>}
      </div></form>
      <LanguageAndTheme language={props.language} setLanguage={props.setLanguage} />
    </main>
  );
}
