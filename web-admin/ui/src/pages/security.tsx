// API tokens: made with scopes, shown once, revoked at once.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, post, remove } from "../api";
import type { Token, TokenPage } from "../../generated/api";
import { Card, Confirm, Copy, Dialog, Empty, Failure, Field, Head, Icon, Pager, Select, Shown, Table, Time, toast, useLoad } from "../parts";
import type { Place } from "../router";
import { t } from "../words";
import { pagingOf } from "./lists";

type Scope = Token["scopes"][number];

export function SecurityPage({ place }: { place: Place }): JSX.Element {
  const paging = pagingOf(place);
  const [isNew, setNew] = useState(false);
  const [asked, ask] = useState<Token>();
  const loaded = useLoad(`tokens ${paging.after}`, (signal) => get<TokenPage>(["tokens"], { limit: 25, after: paging.after }, signal));
  return (
    <>
      <Head title={t("tokens")} about={t("tokens.about")}><button type="button" class="btn primary" onClick={() => setNew(true)}><Icon name="plus" />{t("new-token")}</button></Head>
      <Card label={t("tokens")}><Shown from={loaded}>{(page) => page.items.length === 0 ? <Empty icon="key" title={t("no-tokens")}><p>{t("no-tokens.about")}</p></Empty>
        : <><Table<Token> label={t("tokens")} items={page.items} keyOf={(one) => one.id} columns={[
          { word: "name", main: true, cell: (one) => <><span class="title break">{one.name}</span><br /><span class="small muted mono">{one.id}</span></> },
          { word: "scopes", cell: (one) => one.scopes.map((scope) => <span key={scope} class="tag">{scope}</span>) },
          { word: "expires", class: "small", cell: (one) => (one.expires ? <Time at={one.expires} /> : t("never")) },
          { word: "actions", class: "act", cell: (one) => <button type="button" class="btn s danger" onClick={() => ask(one)}>{t("revoke")} …</button> },
        ]} /><Pager count={page.items.length} next={page.next} back={paging.back} forward={paging.forward} /></>}</Shown></Card>
      {isNew && <NewToken close={() => { setNew(false); loaded.reload(); }} />}
      {asked && <Confirm title={t("revoke.title", { name: asked.name })} text={t("revoke.about")} action={t("revoke")} tone="danger" close={() => ask(undefined)} run={async () => { await remove(["tokens", asked.id]); toast(t("deleted", { name: asked.name })); loaded.reload(); }} />}
    </>
  );
}

function NewToken({ close }: { close: () => void }): JSX.Element {
  const [name, setName] = useState("");
  const [scope, setScope] = useState<Scope>("read");
  const [error, setError] = useState<unknown>();
  const [secret, setSecret] = useState<string>();
  const submit = (event: Event): void => {
    event.preventDefault();
    post<Token & { token: string }>(["tokens"], { name: name.trim(), scopes: [scope] }).then((made) => setSecret(made.token), setError);
  };
  if (secret) {
    return <Dialog title={t("token.once")} close={close}><p class="muted">{t("token.once.about")}</p><div class="record"><div><span class="muted">{t("token")}</span><span class="line mono break">{secret}<Copy text={secret} label={t("copy")} /></span></div></div><div class="buttons"><button type="button" class="btn primary" onClick={close}>{t("done")}</button></div></Dialog>;
  }
  return (
    <Dialog title={t("new-token")} close={close}><form class="stack" onSubmit={submit}>
      <Field label={t("name")} name="name" value={name} onInput={setName} required autofocus hint={t("token.name.hint")} />
      <div class="field"><span class="label">{t("scopes")}</span><Select<Scope> label={t("scopes")} value={scope} onChange={setScope} options={[["read", t("scope.read")], ["admin", t("scope.admin")], ["metrics", t("scope.metrics")]]} /></div>
      {error !== undefined && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary">{t("new-token")}</button></div>
    </form></Dialog>
  );
}
