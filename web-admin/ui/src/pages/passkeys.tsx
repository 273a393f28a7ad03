// Passkeys: one's own, made with the browser's help, and those of somebody whom an admin helps.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError, get, post, remove } from "../api";
import type { Passkey, PasskeyCreation, PasskeyPage } from "../../generated/api";
import { browserOf } from "../format";
import { Confirm, Dialog, Field } from "../forms";
import { Card, Failure, Icon, Time, toast, useLoad, type Loaded } from "../parts";
import { faultOf, makePasskey } from "../passkeys";
import { canUsePasskeys } from "../session";
import { t } from "../words";

export const useOwnPasskeys = (): Loaded<PasskeyPage> => useLoad("passkeys", (signal) => get<PasskeyPage>(["me", "passkeys"], {}, signal));

function Rows({ items, path, done }: { items: readonly Passkey[]; path: readonly string[]; done: () => void }): JSX.Element {
  const [asked, ask] = useState<Passkey>();
  return (
    <>
      <ul class="rows">{items.map((one) => (
        <li key={one.id}><Icon name="key" /><div class="grow"><b class="break">{one.name}</b> {one.synced && <span class="tag">{t("passkey.synced")}</span>}
          <p class="small muted break">{one.last_used ? <>{t("passkey.used")} <Time at={one.last_used} />{one.last_address && ` · ${one.last_address}`}</> : t("passkey.unused")} · {t("created")} <Time at={one.created} as="short" />{one.hostname !== location.hostname && ` · ${t("passkey.of-other", { host: one.hostname })}`}</p></div>
          <button type="button" class="btn s" aria-label={`${t("delete")}: ${one.name}`} onClick={() => ask(one)}>{t("delete")} …</button></li>
      ))}</ul>
      {asked && <Confirm title={t("delete.title", { name: asked.name })} text={t("passkey.delete.about")} action={t("delete")} tone="danger" close={() => ask(undefined)} run={async () => { await remove([...path, asked.id]); toast(t("deleted", { name: asked.name })); done(); }} />}
    </>
  );
}

/** Nothing where the browser could make none and there is none. */
export function PasskeysCard({ page, done }: { page: PasskeyPage; done: () => void }): JSX.Element | null {
  const [isNew, setNew] = useState(false);
  const canMake = page.available && canUsePasskeys();
  if (!canMake && page.items.length === 0) return null;
  return (
    <Card title={t("passkeys")} aside={canMake && <button type="button" class="btn s" onClick={() => setNew(true)}><Icon name="plus" />{t("passkey.new")}</button>}>
      {page.items.length === 0 ? <p class="pad small muted">{t("passkey.about")}</p> : <Rows items={page.items} path={["me", "passkeys"]} done={done} />}
      {isNew && <NewPasskey close={() => { setNew(false); done(); }} />}
    </Card>
  );
}

function NewPasskey({ close }: { close: () => void }): JSX.Element {
  const [name, setName] = useState(browserOf(navigator.userAgent).slice(0, 50));
  const [current, setCurrent] = useState("");
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const isWrong = error instanceof ApiError && error.status === 403 && error.code === "";
  const fault = faultOf(error);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      const made = await makePasskey(await post<PasskeyCreation>(["me", "passkeys", "challenge"], { current }));
      await post<Passkey>(["me", "passkeys"], { name: name.trim(), ...made });
      toast(t("passkey.made", { name: name.trim() }));
      close();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog title={t("passkey.new")} close={close}><form class="stack" onSubmit={submit}>
      <p class="muted">{t("passkey.next")}</p>
      <Field label={t("name")} name="name" value={name} onInput={setName} required hint={t("passkey.name.hint")} />
      <Field label={t("password.current")} name="current" type="password" autocomplete="current-password" value={current} onInput={setCurrent} required autofocus {...(isWrong ? { error: t("password.wrong") } : {})} />
      {fault && <p class="err" role="alert"><Icon name="s-bad" tone="bad" /><span>{t(fault, { host: location.hostname })}</span></p>}
      {error !== undefined && !isWrong && !fault && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary" disabled={isBusy}>{t("next")}</button></div>
    </form></Dialog>
  );
}

/** On the page of a mailbox: an admin takes those away that somebody has lost. */
export function PasskeysOf({ address }: { address: string }): JSX.Element | null {
  const loaded = useLoad(`passkeys ${address}`, (signal) => get<PasskeyPage>(["users", address, "passkeys"], {}, signal));
  const items = loaded.value?.items ?? [];
  return items.length === 0 ? null : <Card title={t("passkeys")}><Rows items={items} path={["users", address, "passkeys"]} done={loaded.reload} /></Card>;
}
