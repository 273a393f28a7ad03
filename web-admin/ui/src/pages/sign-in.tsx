// Sign in: with a passkey, or with address and password, then the second factor where there is one; what is wrong is said at the password, since the server does not tell which of the two it was.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../api";
import { Field } from "../forms";
import { Head, Icon, sentenceOf } from "../parts";
import { faultOf } from "../passkeys";
import { offersPasskeys, signIn, signInWithPasskey, type Factor, type Session } from "../session";
import { LanguageAndTheme } from "../shell";
import { t, type Language } from "../words";

export function SignIn(props: { language: Language; setLanguage: (to: Language) => void; isLost: boolean; signedIn: (session: Session) => void }): JSX.Element {
  const [address, setAddress] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [factor, setFactor] = useState<Factor>();
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const run = async (work: () => Promise<Session | Factor>, wrong: string): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      const now = await work();
      if ("address" in now) return props.signedIn(now);
      setFactor(now);
    } catch (failure) {
      const fault = faultOf(failure);
      setError(fault ? t(fault, { host: location.hostname }) : failure instanceof ApiError && failure.status === 401 ? wrong : sentenceOf(failure));
    }
    setBusy(false);
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    void run(() => signIn(address.trim(), password, factor && code.trim()), t(factor ? "factor.wrong" : "sign-in.wrong"));
  };
  const withPasskey = (): void => void run(async () => {
    if (!factor?.passkey) return signInWithPasskey();
    // WHY anew: a challenge is good once, and five minutes; the password is at hand.
    const now = await signIn(address.trim(), password);
    return "address" in now ? now : signInWithPasskey(now.passkey ?? undefined);
  }, t("passkey.refused"));
  const back = (): void => { setFactor(undefined); setCode(""); setPassword(""); setError(undefined); };
  return (
    <main class="gate" id="main">
      <div class="stack tight">
        <span class="brand"><Icon name="logo" />Posthus</span>
        <Head title={t("sign-in")} about={t("sign-in.about", { host: location.hostname })} />
      </div>
      {props.isLost && <div class="notice warn" role="status"><Icon name="s-warn" tone="warn" /><div class="grow">{t("sign-in.lost")}</div></div>}
      <form class="card" onSubmit={submit}><div class="pad stack">
        {factor ? <>
          {factor.passkey && <><button type="button" class="btn primary wide" disabled={isBusy} onClick={withPasskey}><Icon name="key" />{t("passkey.use")}</button><p class="or small muted">{t("or")}</p></>}
          <Field key="code" label={t(factor.takesAppCode ? "factor.code" : "factor.recovery-code")} name="code" autocomplete="one-time-code" value={code} onInput={setCode} required autofocus={!factor.passkey} hint={t(factor.takesAppCode ? "factor.code.hint" : "factor.recovery-code.hint")} {...(error ? { error } : {})} />
        </> : <>
          <Field label={t("address")} name="address" type="email" autocomplete="username" value={address} onInput={setAddress} required autofocus />
          <Field label={t("password")} name="password" type="password" autocomplete="current-password" value={password} onInput={setPassword} required {...(error ? { error } : {})} />
        </>}
        <button class={`btn wide ${factor?.passkey ? "" : "primary"}`} disabled={isBusy}>{t("sign-in")}</button>
        {factor && <button type="button" class="btn quiet wide" onClick={back}>{t("back")}</button>}
        {!factor && offersPasskeys() && <><p class="or small muted">{t("or")}</p><button type="button" class="btn wide" disabled={isBusy} onClick={withPasskey}><Icon name="key" />{t("passkey.sign-in")}</button></>}
      </div></form>
      <LanguageAndTheme language={props.language} setLanguage={props.setLanguage} />
    </main>
  );
}
