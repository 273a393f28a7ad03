// Who gets in, who is kept out: accounts on hold, sign-ins and blocks, what admins did, API tokens (shown once, revoked at once), certificates.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, post, remove } from "../api";
import type { Token, TokenPage, UserPage } from "../../generated/api";
import { atLeast, number } from "../format";
import { Confirm, Copy, Dialog, Field, Select, Tabs } from "../forms";
import { holdWords } from "../hold";
import { Card, Empty, Failure, Head, Icon, Shown, Time, toast, useLoad } from "../parts";
import { Pager, Table } from "../table";
import { href, type Place } from "../router";
import { t } from "../words";
import { AuditList } from "./audit";
import { Certificates } from "./certificates";
import { pagingOf } from "./lists";
import { release } from "./release";
import { SignIns } from "./sign_ins";

type Scope = Token["scopes"][number];

export function SecurityPage({ place }: { place: Place }): JSX.Element {
  switch (place.segments[1]) {
    case "tokens": return <Tokens place={place} />;
    case "certificates": return <Certificates tabs={<SecurityTabs here="certificates" />} />;
    case "sign-ins": return <><Head title={t("sign-ins")} about={t("sign-ins.about")} /><SecurityTabs here="sign-ins" /><SignIns place={place} /></>;
    case "audit": return <><Head title={t("audit")} about={t("audit.about")} /><SecurityTabs here="audit" /><AuditList place={place} /></>;
    default: return <OnHold place={place} />;
  }
}

function SecurityTabs({ here }: { here: "" | "sign-ins" | "audit" | "tokens" | "certificates" }): JSX.Element {
  const tabs = [["", t("accounts-held")], ["sign-ins", t("sign-ins")], ["audit", t("audit")], ["tokens", t("tokens")], ["certificates", t("certificates")]] as const;
  return <Tabs label={t("security")} tabs={tabs.map(([to, text]) => ({ to: href(["security", ...(to ? [to] : [])]), text, isHere: to === here }))} />;
}

function OnHold({ place }: { place: Place }): JSX.Element {
  const paging = pagingOf(place);
  const [error, setError] = useState<unknown>();
  const loaded = useLoad(`held ${paging.after}`, (signal) => get<UserPage>(["users"], { state: "held", limit: 25, after: paging.after }, signal), 15);
  const count = loaded.value?.items.length ?? 0;
  return (
    <>
      <Head title={loaded.value ? (count ? t("held.accounts", { n: atLeast(count, Boolean(loaded.value.next || paging.after)) }) : t("held.nobody")) : t("security")} about={t("held.accounts.about")} />
      <SecurityTabs here="" />
      {error !== undefined && <Failure error={error} />}
      <Card title={t("accounts-held")}><Shown from={loaded}>{(page) => page.items.length === 0 && !page.next ? <Empty icon="shield" title={t("held.nobody")}><p>{t("held.nobody.about")}</p></Empty>
        : <><ul class="rows">{page.items.map((user) => (
          <li key={user.address}><Icon name="s-warn" tone="warn" /><div class="grow"><a class="title break" href={href(["mailboxes", user.address])}><b>{user.address}</b></a><p class="small muted break">{holdWords(user.sending.hold) || t("held.no-reason")}</p><p class="small muted">{t("sent-today")}: {number(user.sending.messages_today)}</p></div>
            <button type="button" class="btn s" aria-label={`${t("release")}: ${user.address}`} onClick={() => release(user, loaded.reload, setError)}>{t("release")}</button><a class="btn s" href={href(["trace"], { find: user.address })}>{t("trace.of-mailbox")}</a></li>
        ))}</ul><Pager count={page.items.length} next={page.next} back={paging.back} forward={paging.forward} /></>}</Shown></Card>
    </>
  );
}

function Tokens({ place }: { place: Place }): JSX.Element {
  const paging = pagingOf(place);
  const [isNew, setNew] = useState(false);
  const [asked, ask] = useState<Token>();
  const loaded = useLoad(`tokens ${paging.after}`, (signal) => get<TokenPage>(["tokens"], { limit: 25, after: paging.after }, signal));
  return (
    <>
      <Head title={t("tokens")} about={t("tokens.about")}><button type="button" class="btn primary" onClick={() => setNew(true)}><Icon name="plus" />{t("new-token")}</button></Head>
      <SecurityTabs here="tokens" />
      <Card label={t("tokens")}><Shown from={loaded}>{(page) => page.items.length === 0 ? <Empty icon="key" title={t("no-tokens")}><p>{t("no-tokens.about")}</p></Empty>
        : <><Table<Token> label={t("tokens")} items={page.items} keyOf={(one) => one.id} columns={[
          { word: "name", main: true, cell: (one) => <><span class="title break">{one.name}</span><br /><span class="small muted mono">{one.id}</span></> },
          { word: "scopes", cell: (one) => one.scopes.map((scope) => <span key={scope} class="tag">{t(`scope.${scope}`)}</span>) },
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
