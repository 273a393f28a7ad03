// Who else uses a mailbox, and whose mailboxes somebody uses: cards of the mailbox's page and of one's own.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError, get, put, remove } from "../api";
import type { Delegate, DelegatePage, MailboxAccess } from "../../generated/api";
import { Confirm, Dialog, Field, Select } from "../forms";
import { Card, Failure, Icon, Shown, toast, useLoad } from "../parts";
import { href } from "../router";
import { t } from "../words";

/** What can be granted, in one choice: access, and whether with sending. */
const kGrants = ["full send", "full", "read send", "read", "none send"] as const;
type Grant = (typeof kGrants)[number];
const grantOf = (one: Delegate): Grant => (one.send_as ? (`${one.access} send` as const) : one.access === "full" ? "full" : "read");
const bodyOf = (grant: Grant): { access: MailboxAccess; send_as: boolean } => ({ access: grant.split(" ")[0] as MailboxAccess, send_as: grant.endsWith(" send") });
const wordOf = (grant: Grant): string => t(`grant.${grant.replace(" ", "-") as "full-send" | "full" | "read-send" | "read" | "none-send"}`);

/** `path`: of the account, ["users", address] or ["me"]. */
export function DelegatesCard({ path, isShared = false }: { path: string[]; isShared?: boolean }): JSX.Element {
  const loaded = useLoad(`delegates ${path.join(" ")}`, (signal) => get<DelegatePage>([...path, "delegates"], {}, signal));
  const [edited, edit] = useState<Delegate | "new">();
  const [asked, ask] = useState<Delegate>();
  return (
    <Card title={isShared ? t("delegates.shared") : path[0] === "me" ? t("delegates.own") : t("delegates")} aside={<button type="button" class="btn s" onClick={() => edit("new")}><Icon name="plus" />{t("delegate.new")}</button>}>
      <Shown from={loaded} rows={2}>{({ items }) => items.length === 0 ? <p class="pad small muted">{isShared ? t("delegates.shared.none") : path[0] === "me" ? t("delegates.own.none") : t("delegates.none")}</p>
        : <ul class="rows">{items.map((one) => (
          <li key={one.address}><Icon name="users" /><div class="grow"><b class="break">{one.address}</b><p class="small muted">{wordOf(grantOf(one))}</p></div>
            <button type="button" class="btn s" aria-label={`${t("change")}: ${one.address}`} onClick={() => edit(one)}>{t("change")}</button><button type="button" class="btn s" aria-label={`${t("take-back")}: ${one.address}`} onClick={() => ask(one)}>{t("take-back")} …</button></li>
        ))}</ul>}</Shown>
      {edited && <Edit path={path} delegate={edited === "new" ? undefined : edited} close={() => edit(undefined)} done={loaded.reload} />}
      {asked && <Confirm title={t("take-back.title", { name: asked.address })} text={t("take-back.about")} action={t("take-back")} tone="danger" close={() => ask(undefined)} run={async () => { await remove([...path, "delegates", asked.address]); toast(t("saved")); loaded.reload(); }} />}
    </Card>
  );
}

/** Nothing when somebody uses only his own. */
export function DelegationsCard({ path }: { path: string[] }): JSX.Element | null {
  const { value } = useLoad(`delegations ${path.join(" ")}`, (signal) => get<DelegatePage>([...path, "delegations"], {}, signal));
  if (!value?.items.length) return null;
  return (
    <Card title={t("delegations")}><ul class="rows">{value.items.map((one) => (
      <li key={one.address}><Icon name={one.shared ? "group" : "box"} /><div class="grow">{path[0] === "me" ? <b class="break">{one.address}</b> : <a class="title break" href={href(["mailboxes", one.address])}>{one.address}</a>}<p class="small muted">{wordOf(grantOf(one))}</p></div></li>
    ))}</ul>{path[0] === "me" && <p class="pad small muted">{t("delegations.own.about")}</p>}</Card>
  );
}

function Edit({ path, delegate, close, done }: { path: string[]; delegate: Delegate | undefined; close: () => void; done: () => void }): JSX.Element {
  const [address, setAddress] = useState(delegate?.address ?? "");
  const [grant, setGrant] = useState<Grant>(delegate ? grantOf(delegate) : "full send");
  const [error, setError] = useState<unknown>();
  const isUnknown = !delegate && error instanceof ApiError && error.status === 404;
  const submit = (event: Event): void => {
    event.preventDefault();
    put<DelegatePage>([...path, "delegates", address.trim()], bodyOf(grant)).then(() => { toast(t("saved")); close(); done(); }, setError);
  };
  return (
    <Dialog title={delegate ? delegate.address : t("delegate.new")} close={close}><form class="stack" onSubmit={submit}>
      {!delegate && <Field label={t("delegate.who")} name="delegate" value={address} onInput={(value) => { setAddress(value); if (isUnknown) setError(undefined); }} required autofocus hint={t("delegate.hint")} {...(isUnknown ? { error: t("delegate.unknown") } : {})} />}
      <div class="field"><span class="label">{t("delegate.may")}</span><Select<Grant> label={t("delegate.may")} value={grant} onChange={setGrant} options={kGrants.map((one) => [one, wordOf(one)] as const)} /><p class="hint">{t("delegate.may.hint")}</p></div>
      {error !== undefined && !isUnknown && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary">{t("save")}</button></div>
    </form></Dialog>
  );
}
