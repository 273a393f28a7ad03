// One's own app passwords: made for one mail program each, shown once, revoked at once.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError, get, post, remove } from "../api";
import type { AppPassword, AppPasswordPage, NewAppPassword } from "../../generated/api";
import { Confirm, Copy, Dialog, Field, Select } from "../forms";
import { Card, Failure, Icon, Shown, Time, toast, useLoad } from "../parts";
import { t } from "../words";

type Protocol = AppPassword["protocols"][number];
type Use = "imap smtp" | "pop3 smtp" | "smtp" | "imap pop3 smtp";
type Days = "0" | "30" | "365";

export function AppPasswordsCard(): JSX.Element {
  const loaded = useLoad("app-passwords", (signal) => get<AppPasswordPage>(["me", "app-passwords"], {}, signal));
  const [isNew, setNew] = useState(false);
  const [asked, ask] = useState<AppPassword>();
  return (
    <Card title={t("app-passwords")} aside={<button type="button" class="btn s" onClick={() => setNew(true)}><Icon name="plus" />{t("app-password.new")}</button>}>
      <Shown from={loaded} rows={2}>{({ items }) => items.length === 0 ? <p class="pad small muted">{t("app-passwords.about")}</p>
        : <ul class="rows">{items.map((one) => (
          <li key={one.id}><Icon name="key" /><div class="grow"><b class="break">{one.name}</b> {one.protocols.map((protocol) => <span key={protocol} class="tag">{protocol.toUpperCase()}</span>)}
            <p class="small muted break">{one.last_used ? <>{t("app-password.used")} <Time at={one.last_used} />{one.last_address && ` · ${one.last_address}`}</> : t("app-password.unused")}{one.expires && <> · {t("expires")} <Time at={one.expires} as="short" /></>}</p></div>
            <button type="button" class="btn s" aria-label={`${t("revoke")}: ${one.name}`} onClick={() => ask(one)}>{t("revoke")} …</button></li>
        ))}</ul>}</Shown>
      {isNew && <NewPassword close={() => { setNew(false); loaded.reload(); }} />}
      {asked && <Confirm title={t("revoke.title", { name: asked.name })} text={t("app-password.revoke.about")} action={t("revoke")} tone="danger" close={() => ask(undefined)} run={async () => { await remove(["me", "app-passwords", asked.id]); toast(t("deleted", { name: asked.name })); loaded.reload(); }} />}
    </Card>
  );
}

/** When `days` from now are over; null: never. */
export const endOf = (days: string, now: number): string | null => (days === "0" ? null : `${new Date(now + Number(days) * 86_400_000).toISOString().slice(0, 19)}Z`);

function NewPassword({ close }: { close: () => void }): JSX.Element {
  const [name, setName] = useState("");
  const [use, setUse] = useState<Use>("imap smtp");
  const [days, setDays] = useState<Days>("0");
  const [current, setCurrent] = useState("");
  const [error, setError] = useState<unknown>();
  const [made, setMade] = useState<NewAppPassword>();
  const isWrong = error instanceof ApiError && error.status === 403;
  const submit = (event: Event): void => {
    event.preventDefault();
    const protocols = use.split(" ") as Protocol[];
    post<NewAppPassword>(["me", "app-passwords"], { name: name.trim(), protocols, expires: endOf(days, Date.now()), current }).then(setMade, setError);
  };
  if (made) {
    return <Dialog title={t("app-password.once")} close={close}><p class="muted">{t("app-password.once.about")}</p><div class="record"><div><span class="muted">{t("password")}</span><span class="line mono break">{made.password}<Copy text={made.password} label={t("copy")} /></span></div></div><div class="buttons"><button type="button" class="btn primary" onClick={close}>{t("done")}</button></div></Dialog>;
  }
  return (
    <Dialog title={t("app-password.new")} close={close}><form class="stack" onSubmit={submit}>
      <Field label={t("name")} name="name" value={name} onInput={setName} required autofocus hint={t("app-password.name.hint")} />
      <div class="field"><span class="label">{t("app-password.for")}</span><Select<Use> label={t("app-password.for")} value={use} onChange={setUse} options={[["imap smtp", t("app-password.imap")], ["pop3 smtp", t("app-password.pop3")], ["smtp", t("app-password.smtp")], ["imap pop3 smtp", t("app-password.all")]]} /></div>
      <div class="field"><span class="label">{t("expires")}</span><Select<Days> label={t("expires")} value={days} onChange={setDays} options={[["0", t("never")], ["30", t("n.days", { n: 30 })], ["365", t("n.days", { n: 365 })]]} /></div>
      <Field label={t("password.current")} name="current" type="password" autocomplete="current-password" value={current} onInput={setCurrent} required {...(isWrong ? { error: t("password.wrong") } : {})} />
      {error !== undefined && !isWrong && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary">{t("app-password.new")}</button></div>
    </form></Dialog>
  );
}
