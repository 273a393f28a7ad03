// Addresses one makes for oneself, where the domain lets one.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, post, remove } from "../api";
import type { OwnAlias, OwnAliasPage } from "../../generated/api";
import { Confirm, Dialog, Field } from "../forms";
import { Card, Failure, Icon, Time, toast, useLoad } from "../parts";
import { t } from "../words";

export function OwnAliases(): JSX.Element | null {
  const { value: page, error, reload } = useLoad("own-aliases", (signal) => get<OwnAliasPage>(["me", "aliases"], {}, signal));
  const [isNew, setNew] = useState(false);
  const [asked, ask] = useState<OwnAlias>();
  if (!page) return error === undefined ? null : <Failure error={error} retry={reload} />;
  if (page.allowed === 0 && page.items.length === 0) return null;
  const isFull = page.items.length >= page.allowed;
  return (
    <Card title={t("own-aliases")} aside={<button type="button" class="btn s" disabled={isFull} onClick={() => setNew(true)}><Icon name="plus" />{t("own-aliases.new")}</button>}>
      <p class="pad small muted">{t("own-aliases.about", { n: page.allowed })}</p>
      {page.items.length > 0 && <ul class="rows">{page.items.map((one) => (
        <li key={one.address}><Icon name="users" /><div class="grow"><b class="break">{one.address}</b><p class="small muted"><Time at={one.created} as="short" /></p></div>
          <button type="button" class="btn s" aria-label={`${t("delete")}: ${one.address}`} onClick={() => ask(one)}>{t("delete")} …</button></li>
      ))}</ul>}
      {isNew && <NewAddress domain={page.domain} close={() => setNew(false)} done={reload} />}
      {asked && <Confirm title={t("delete.title", { name: asked.address })} text={t("own-aliases.delete.about")} action={t("delete")} tone="danger" close={() => ask(undefined)} run={async () => { await remove(["me", "aliases", asked.address]); toast(t("deleted", { name: asked.address })); reload(); }} />}
    </Card>
  );
}

function NewAddress({ domain, close, done }: { domain: string; close: () => void; done: () => void }): JSX.Element {
  const [name, setName] = useState("");
  const [error, setError] = useState<unknown>();
  const address = name.includes("@") ? name.trim() : `${name.trim()}@${domain}`;
  const submit = (event: Event): void => {
    event.preventDefault();
    post<OwnAlias>(["me", "aliases"], { address }).then((made) => { toast(t("own-aliases.made", { name: made.address })); close(); done(); }, setError);
  };
  return (
    <Dialog title={t("own-aliases.new")} close={close}><form class="stack" onSubmit={submit}>
      <Field label={t("own-aliases.before", { domain })} name="own-alias" value={name} onInput={setName} required autofocus hint={t("own-aliases.hint")} />
      {error !== undefined && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary">{t("save")}</button></div>
    </form></Dialog>
  );
}
