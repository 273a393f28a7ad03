// The second factor of one's own account: switched on with a code of an authenticator app, off with a code and the password.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError, get, post, put, remove } from "../api";
import type { NewSecondFactor, RecoveryCodes, SecondFactor } from "../../generated/api";
import { Confirm, Copy, Dialog, Field } from "../forms";
import { Card, Failure, Icon, Shown, Time, toast, useLoad } from "../parts";
import { t } from "../words";

export function SecondFactorCard({ hasPasskeys }: { hasPasskeys: boolean }): JSX.Element {
  const loaded = useLoad("second-factor", (signal) => get<SecondFactor>(["me", "second-factor"], {}, signal));
  const [asks, ask] = useState<"on" | "passkeys" | "off" | "codes">();
  const close = (): void => { ask(undefined); loaded.reload(); };
  return (
    <Card title={t("factor")} aside={loaded.value && !loaded.value.enabled ? <span class="line"><button type="button" class="btn s" onClick={() => ask("on")}>{t("factor.switch-on")} …</button>{hasPasskeys && <button type="button" class="btn s" onClick={() => ask("passkeys")}>{t("passkey.factor")} …</button>}</span> : undefined}><Shown from={loaded} rows={2}>{(factor) => (
      <div class="pad stack">
        {factor.enabled
          ? <><p><Icon name="s-ok" tone="ok" /> {t(factor.takes_app_code ? "factor.on" : "passkey.factor.on")} {factor.created && <span class="small muted"><Time at={factor.created} as="short" /></span>}</p>
            <p class={`small ${factor.recovery_codes_left < 3 ? "" : "muted"}`}>{t("factor.codes-left", { n: factor.recovery_codes_left })}</p>
            <div class="line"><button type="button" class="btn s" onClick={() => ask("codes")}>{t("factor.new-codes")} …</button><button type="button" class="btn s" onClick={() => ask("off")}>{t("factor.switch-off")} …</button></div></>
          : <p class="small muted">{t("factor.about")}</p>}
        {asks === "on" && <SwitchOn close={close} />}
        {asks === "passkeys" && <AskForPasskeys close={close} />}
        {(asks === "off" || asks === "codes") && <WithBoth what={asks} takesAppCode={factor.takes_app_code} close={close} />}
      </div>
    )}</Shown></Card>
  );
}

/** On the page of a mailbox: an admin switches it off for somebody who has lost it. */
export function FactorOf({ address, isSelf, done }: { address: string; isSelf: boolean; done: () => void }): JSX.Element {
  const [asks, ask] = useState(false);
  return (
    <span class="line">{t("factor.on")}{!isSelf && <button type="button" class="btn s" onClick={() => ask(true)}>{t("factor.switch-off")} …</button>}
      {asks && <Confirm title={t("factor.switch-off")} text={t("factor.lost", { name: address })} action={t("factor.switch-off")} tone="danger" close={() => ask(false)} run={async () => { await remove(["users", address, "second-factor"]); toast(t("factor.is-off")); done(); }} />}
    </span>
  );
}

/** The path of the dark modules and the width of the image, out of the SVG the server drew; nothing of it becomes markup. */
export function qrOf(svg: string): { path: string; size: number } | undefined {
  const size = /viewBox="0 0 (\d+) \d+"/.exec(svg)?.[1];
  const path = / d="([MhvzZ0-9 -]+)"/.exec(svg)?.[1];
  return size && path ? { path, size: Number(size) } : undefined;
}

function QrCode({ svg }: { svg: string }): JSX.Element | null {
  const qr = qrOf(svg);
  if (!qr) return null;
  return <svg role="img" aria-label={t("factor.qr")} viewBox={`0 0 ${qr.size} ${qr.size}`} width="220" height="220" shape-rendering="crispEdges"><rect width={qr.size} height={qr.size} fill="#fff" /><path fill="#000" d={qr.path} /></svg>;
}

/** The key as a QR code, and to be typed. */
export function Key({ made }: { made: NewSecondFactor }): JSX.Element {
  return (
    <>
      {made.qr && <QrCode svg={made.qr} />}
      <details><summary>{t("factor.key")}</summary><span class="line mono break">{made.secret.replace(/(.{4})(?=.)/g, "$1 ")}<Copy text={made.secret} label={t("copy")} /></span></details>
    </>
  );
}

function SwitchOn({ close }: { close: () => void }): JSX.Element {
  const [current, setCurrent] = useState("");
  const [code, setCode] = useState("");
  const [key, setKey] = useState<NewSecondFactor>();
  const [codes, setCodes] = useState<readonly string[]>();
  const [error, setError] = useState<unknown>();
  const isWrong = error instanceof ApiError && error.status === 403;
  const begin = (event: Event): void => {
    event.preventDefault();
    post<NewSecondFactor>(["me", "second-factor"], { current }).then((made) => { setKey(made); setError(undefined); }, setError);
  };
  const confirm = (event: Event): void => {
    event.preventDefault();
    put<RecoveryCodes>(["me", "second-factor"], { code }).then((made) => setCodes(made.recovery_codes), setError);
  };
  if (codes) return <Codes codes={codes} close={close} />;
  if (!key) {
    return <Dialog title={t("factor.switch-on")} close={close}><form class="stack" onSubmit={begin}>
      <p class="muted">{t("factor.app-passwords")}</p>
      <Field label={t("password.current")} name="current" type="password" autocomplete="current-password" value={current} onInput={setCurrent} required autofocus {...(isWrong ? { error: t("password.wrong") } : {})} />
      {error !== undefined && !isWrong && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary">{t("next")}</button></div>
    </form></Dialog>;
  }
  return (
    <Dialog title={t("factor.scan")} close={close}><form class="stack" onSubmit={confirm}>
      <p class="muted">{t("factor.scan.about")}</p>
      <Key made={key} />
      <Field label={t("factor.code")} name="code" autocomplete="one-time-code" value={code} onInput={setCode} required autofocus {...(isWrong ? { error: t("factor.wrong") } : {})} />
      {error !== undefined && !isWrong && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary">{t("factor.switch-on")}</button></div>
    </form></Dialog>
  );
}

function AskForPasskeys({ close }: { close: () => void }): JSX.Element {
  const [current, setCurrent] = useState("");
  const [codes, setCodes] = useState<readonly string[]>();
  const [error, setError] = useState<unknown>();
  const isWrong = error instanceof ApiError && error.status === 403;
  const submit = (event: Event): void => {
    event.preventDefault();
    post<RecoveryCodes>(["me", "second-factor", "passkeys"], { current }).then((made) => setCodes(made.recovery_codes), setError);
  };
  if (codes) return <Codes codes={codes} close={close} />;
  return (
    <Dialog title={t("passkey.factor")} close={close}><form class="stack" onSubmit={submit}>
      <p class="muted">{t("passkey.factor.about")} {t("factor.app-passwords")}</p>
      <Field label={t("password.current")} name="current" type="password" autocomplete="current-password" value={current} onInput={setCurrent} required autofocus {...(isWrong ? { error: t("password.wrong") } : {})} />
      {error !== undefined && !isWrong && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary">{t("factor.switch-on")}</button></div>
    </form></Dialog>
  );
}

export function RecoveryCodeList({ codes }: { codes: readonly string[] }): JSX.Element {
  return <ul class="mono">{codes.map((one) => <li key={one}>{one}</li>)}</ul>;
}

function Codes({ codes, close }: { codes: readonly string[]; close: () => void }): JSX.Element {
  return (
    <Dialog title={t("factor.recovery")} close={close}>
      <p class="muted">{t("factor.recovery.about")}</p>
      <RecoveryCodeList codes={codes} />
      <div class="buttons"><Copy text={codes.join("\n")} label={t("copy")} /><button type="button" class="btn primary" onClick={close}>{t("done")}</button></div>
    </Dialog>
  );
}

function WithBoth({ what, takesAppCode, close }: { what: "off" | "codes"; takesAppCode: boolean; close: () => void }): JSX.Element {
  const [current, setCurrent] = useState("");
  const [code, setCode] = useState("");
  const [codes, setCodes] = useState<readonly string[]>();
  const [error, setError] = useState<unknown>();
  const title = what === "off" ? t("factor.switch-off") : t("factor.new-codes");
  const submit = (event: Event): void => {
    event.preventDefault();
    if (what === "off") post<void>(["me", "second-factor", "remove"], { current, code }).then(() => { toast(t("factor.is-off")); close(); }, setError);
    else post<RecoveryCodes>(["me", "second-factor", "recovery-codes"], { current, code }).then((made) => setCodes(made.recovery_codes), setError);
  };
  if (codes) return <Codes codes={codes} close={close} />;
  return (
    <Dialog title={title} close={close}><form class="stack" onSubmit={submit}>
      <Field label={t("password.current")} name="current" type="password" autocomplete="current-password" value={current} onInput={setCurrent} required autofocus />
      <Field label={t(takesAppCode ? "factor.code" : "factor.recovery-code")} name="code" autocomplete="one-time-code" value={code} onInput={setCode} required hint={t(takesAppCode ? "factor.code.hint" : "factor.recovery-code.hint")} {...(error instanceof ApiError && error.status === 403 ? { error: t("factor.either-wrong") } : {})} />
      {error !== undefined && !(error instanceof ApiError && error.status === 403) && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary">{title}</button></div>
    </form></Dialog>
  );
}
