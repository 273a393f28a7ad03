// Who has what: mailboxes with storage and state; making one, its password, disabling, deleting.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, patch, post, put, remove } from "../api";
import type { AliasPage, DomainPage as Domains, User, UserPage } from "../../generated/api";
import { initials, number, parseSize } from "../format";
import { BulkBar, type Errand, ErrandDialog, useChosen } from "../bulk";
import { listOf } from "../csv";
import { Confirm, Dialog, Field, Search, Select } from "../forms";
import { holdWords } from "../hold";
import { Card, Empty, Failure, Head, Icon, Shown, Time, toast, useLoad } from "../parts";
import { Pager, Table } from "../table";
import { go, href, type Place } from "../router";
import { isServerAdmin } from "../session";
import { t } from "../words";
import { filter, pagingOf, SortBy, sortedBy, sortingOf } from "./lists";
import { Storage, UserState } from "./mailbox_state";
import { DelegatesCard, DelegationsCard } from "./delegates";
import { ChangeMailbox, RenameMailbox, SignInKind } from "./mailbox_change";
import { type Kind, sizeMember, Transfer, yesOrNo } from "./transfer";
import { release } from "./release";
import { PasskeysOf } from "./passkeys";
import { FactorOf } from "./second_factor";

const kPage = 25;
const kStates = ["active", "held", "disabled", "almost_full", "admin", "shared"] as const;
const kOrders = ["address", "used", "filled", "sent", "created"] as const;
const kMaxQuota = Number.MAX_SAFE_INTEGER;
const path = (address: string): string => href(["mailboxes", address]);

function loadUsers(find: string, domain: string, state: string, sort: string, after: string | undefined, signal: AbortSignal): Promise<UserPage> {
  return get<UserPage>(["users"], { limit: kPage, after, domain, search: find, state, sort }, signal);
}

export const kFile: Kind<User> = {
  path: "users",
  columns: ["address", "password", "quota_bytes", "forward_to", "keeps_copy", "disabled", "shared"],
  fill: (user) => [user.address, "", String(user.quota_bytes), user.forward_to.join(" "), String(user.keeps_copy), String(user.disabled), String(user.shared)],
  body: ({ address = "", password, quota_bytes, forward_to = "", keeps_copy, disabled, shared }) => {
    const quota = sizeMember("quota_bytes", quota_bytes);
    const [keepsCopy, isDisabled, isShared] = [yesOrNo(keeps_copy), yesOrNo(disabled), yesOrNo(shared)];
    if (!/^[^@]+@[^@]+$/.test(address) || !quota || keepsCopy === undefined || isDisabled === undefined || isShared === undefined) return undefined;
    return { address, ...quota, ...(password ? { password } : {}), ...(forward_to ? { forward_to: listOf(forward_to), keeps_copy: keepsCopy } : {}), ...(isDisabled ? { disabled: true } : {}), ...(isShared ? { shared: true } : {}) };
  },
};

export function MailboxesPage({ place }: { place: Place }): JSX.Element {
  const find = place.query.get("find") ?? "";
  const domain = place.query.get("domain") ?? "";
  const state = kStates.find((one) => one === place.query.get("state")) ?? "";
  const sort = sortedBy(place, kOrders);
  const paging = pagingOf(place);
  const [isNew, setNew] = useState(false);
  const domains = useLoad("domains", (signal) => get<Domains>(["domains"], { limit: 1000 }, signal));
  const users = useLoad(`users ${find} ${domain} ${state} ${sort} ${paging.after}`, (signal) => loadUsers(find, domain, state, sort, paging.after, signal));
  const names = domains.value?.items.map((one) => one.name) ?? [];
  const chosen = useChosen(`${find} ${domain} ${state} ${sort} ${paging.after}`);
  const [errand, begin] = useState<Errand>();
  const all = [...chosen.keys];
  const setDisabled = (disabled: boolean): void => begin({ title: disabled ? t("disable") : t("enable"), names: all, one: (name) => patch(["users", name], { disabled }), ...(disabled ? { ask: { text: t("disable.about"), action: t("disable") } } : {}) });
  const drop = (): void => begin({ title: t("delete.mailboxes", { n: all.length }), names: all, one: (name) => remove(["users", name]), ask: { text: t("delete.mailboxes.about"), action: t("delete"), isCostly: true } });
  return (
    <>
      <Head title={t("mailboxes")} about={t("mailboxes.about")}>
        <Transfer kind={kFile} parameters={{ domain, search: find, state }} done={users.reload} />
        <button type="button" class="btn primary" onClick={() => setNew(true)}><Icon name="plus" />{t("new-mailbox")}</button>
      </Head>
      <Card label={t("mailboxes")}>
        <div class="tools">
          <Search label={t("mailboxes.find")} value={find} onInput={(value) => filter(place, { find: value })} />
          <Select label={t("domain")} value={domain} onChange={(value) => filter(place, { domain: value })} options={[["", t("all-domains")], ...names.map((name) => [name, name] as const)]} />
          <Select label={t("state")} value={state} onChange={(value) => filter(place, { state: value })} options={[["", t("any-state")], ...kStates.map((one) => [one, t(`users.${one}`)] as const)]} />
          <SortBy place={place} orders={kOrders} />
        </div>
        <Shown from={users}>{(page) => page.items.length === 0
          ? <Empty icon="box" title={find || domain || state ? t("nothing-found") : t("no-mailboxes")}><p>{find || domain || state ? t("mailboxes.find.about") : t("no-mailboxes.about")}</p></Empty>
          : <>
            <BulkBar chosen={chosen}><button type="button" class="btn s" onClick={() => setDisabled(true)}>{t("disable")}</button><button type="button" class="btn s" onClick={() => setDisabled(false)}>{t("enable")}</button><button type="button" class="btn s danger" onClick={drop}>{t("delete")} …</button></BulkBar>
            <Table<User> label={t("mailboxes")} items={page.items} keyOf={(user) => user.address} chosen={chosen} sorting={sortingOf(place, kOrders)} columns={[
              { word: "mailbox", order: "address", main: true, cell: (user) => <span class="who"><span class="avatar hide-s" aria-hidden="true">{initials(user.address)}</span><span><a class="title break" href={path(user.address)}>{user.address}</a>{user.role === "server_admin" && <><br /><span class="small muted">{t("server_admin")}</span></>}</span></span> },
              { word: "state", cell: (user) => <UserState user={user} /> },
              { word: "storage", order: "used", class: "quota", cell: (user) => <Storage user={user} /> },
              { word: "mails", class: "num wide", cell: (user) => number(user.usage.messages) },
              { word: "sent-today", order: "sent", class: "num wide", cell: (user) => number(user.sending.messages_today) },
            ]} />
            <Pager count={page.items.length} next={page.next} back={paging.back} forward={paging.forward} />
          </>}</Shown>
      </Card>
      {isNew && <NewMailbox domains={names} close={() => setNew(false)} />}
      {errand && <ErrandDialog errand={errand} close={() => { begin(undefined); chosen.set(new Set()); users.reload(); }} />}
    </>
  );
}

function NewMailbox({ domains, close }: { domains: string[]; close: () => void }): JSX.Element {
  const [address, setAddress] = useState("");
  const [password, setPassword] = useState("");
  const [quota, setQuota] = useState("");
  const [kind, setKind] = useState<"person" | "shared">("person");
  const isShared = kind === "shared";
  const [error, setError] = useState<unknown>();
  const bytes = quota ? parseSize(quota) : undefined;
  const isBadQuota = quota !== "" && (bytes === undefined || bytes > kMaxQuota);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (isBadQuota) return;
    try {
      const user = await post<User>(["users"], { address: address.trim(), ...(isShared ? { shared: true } : password ? { password } : {}), ...(bytes === undefined ? {} : { quota_bytes: bytes }) });
      toast(t("made", { name: user.address }));
      close();
      go(path(user.address));
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <Dialog title={t("new-mailbox")} close={close}><form class="stack" onSubmit={submit}>
      <Field label={t("address")} name="address" value={address} onInput={setAddress} required autofocus placeholder={domains[0] ? `anna@${domains[0]}` : ""} />
      <SignInKind kind={kind} setKind={setKind} />
      {!isShared && <Field label={t("password")} name="new-password" type="password" autocomplete="new-password" value={password} onInput={setPassword} hint={t("password.hint")} />}
      <Field label={t("storage-limit")} name="quota" value={quota} onInput={setQuota} hint={t("quota.hint")} {...(isBadQuota ? { error: t("quota.bad") } : {})} />
      {error !== undefined && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary">{t("make-mailbox")}</button></div>
    </form></Dialog>
  );
}

function NewPassword({ address, close }: { address: string; close: () => void }): JSX.Element {
  const [password, setPassword] = useState("");
  const [error, setError] = useState<unknown>();
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await put<void>(["users", address, "password"], { password });
      toast(t("password.set"));
      close();
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <Dialog title={t("password.of", { name: address })} close={close}><form class="stack" onSubmit={submit}>
      <Field label={t("password.new")} name="new-password" type="password" autocomplete="new-password" value={password} onInput={setPassword} hint={t("password.min")} required autofocus />
      {error !== undefined && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary">{t("save")}</button></div>
    </form></Dialog>
  );
}

export function MailboxPage({ address, self }: { address: string; self: string }): JSX.Element {
  const loaded = useLoad(`user ${address}`, (signal) => get<User>(["users", address], {}, signal));
  return <Shown from={loaded}>{(user) => <Mailbox user={user} isSelf={user.address === self} reload={loaded.reload} />}</Shown>;
}

function Mailbox({ user, isSelf, reload }: { user: User; isSelf: boolean; reload: () => void }): JSX.Element {
  const [asks, ask] = useState<"password" | "disable" | "delete" | "change" | "rename">();
  const [error, setError] = useState<unknown>();
  const aliases = useLoad(`aliases of ${user.address}`, (signal) => get<AliasPage>(["aliases"], { search: user.address, limit: 100 }, signal));
  const names = aliases.value?.items.filter((one) => one.targets.some((to) => to.toLowerCase() === user.address.toLowerCase())) ?? [];
  const close = (): void => ask(undefined);
  const setDisabled = async (disabled: boolean): Promise<void> => {
    await patch<User>(["users", user.address], { disabled });
    toast(disabled ? t("is-disabled", { name: user.address }) : t("is-enabled", { name: user.address }), disabled ? () => void setDisabled(false).catch(setError) : undefined);
    setError(undefined);
    reload();
  };
  return (
    <>
      <Head title={user.address} crumbs={<a href="/mailboxes">{t("mailboxes")}</a>} about={<UserState user={user} />}>
        {!user.shared && <button type="button" class="btn" onClick={() => ask("password")}><Icon name="key" />{t("password.new")}</button>}
        <button type="button" class="btn" onClick={() => ask("change")}>{t("change")}</button>
        {!isSelf && <button type="button" class="btn" onClick={() => ask("rename")}>{t("rename")}</button>}
        {isSelf ? null : user.disabled ? <button type="button" class="btn" onClick={() => void setDisabled(false).catch(setError)}>{t("enable")}</button> : <button type="button" class="btn" onClick={() => ask("disable")}>{t("disable")}</button>}
      </Head>
      {error !== undefined && <Failure error={error} />}
      {user.sending.held && <div class="notice warn"><Icon name="s-warn" tone="warn" /><div class="grow"><b>{t("held.account")}</b> {holdWords(user.sending.hold)}</div>{isServerAdmin() && <button type="button" class="btn s" onClick={() => release(user, reload, setError)}>{t("release")}</button>}</div>}
      <div class="split">
        <div class="stack loose">
          <Card title={t("storage")}><div class="pad"><Storage user={user} /><p class="small muted">{t("n.mails", { n: user.usage.messages })}</p></div></Card>
          <DelegatesCard path={["users", user.address]} isShared={user.shared} />
          <DelegationsCard path={["users", user.address]} />
          <Card title={t("forwarding")}><div class="pad stack tight">{user.forward_to.length === 0 ? <p class="small muted">{t("no-forward")}</p> : <><ul>{user.forward_to.map((to) => <li key={to} class="break">{to}</li>)}</ul><p class="small muted">{user.keeps_copy ? t("keeps-copy") : t("keeps-no-copy")}</p></>}</div></Card>
          {names.length > 0 && <Card title={t("also-receives")}><ul class="rows">{names.map((one) => <li key={one.address}><span class="grow break">{one.address}</span>{one.address.startsWith("@") && <span class="tag info">{t("catch-all")}</span>}</li>)}</ul></Card>}
          {!isSelf && <PasskeysOf address={user.address} />}
          {!isSelf && <Card title={t("delete-mailbox")}><div class="pad stack"><p class="small muted">{t("delete-mailbox.about", { n: user.usage.messages })}</p><button type="button" class="btn danger" onClick={() => ask("delete")}>{t("delete")} …</button></div></Card>}
        </div>
        <Card title={t("at-a-glance")}><div class="pad"><dl class="facts">
          <dt>{t("role")}</dt><dd>{t(user.role)}{user.admin_of.length > 0 && <span class="small muted break"> {user.admin_of.join(", ")}</span>}</dd>
          {!user.shared && <><dt>{t("factor")}</dt><dd>{user.second_factor ? <FactorOf address={user.address} isSelf={isSelf} done={reload} /> : t("factor.none")}</dd></>}
          <dt>{t("created")}</dt><dd><Time at={user.created} as="short" /></dd>
          <dt>{t("sent-today")}</dt><dd>{number(user.sending.messages_today)}{user.messages_per_day !== null && ` / ${number(user.messages_per_day)}`}</dd>
          <dt>{t("bounced-today")}</dt><dd>{number(user.sending.bounces_today)}</dd>
        </dl></div><footer><a href={href(["trace"], { find: user.address })}>{t("trace.of-mailbox")}</a>{!user.shared && <a href={href(["mailboxes", user.address, "device"])}>{t("device")}</a>}</footer></Card>
      </div>
      {asks === "change" && <ChangeMailbox user={user} isSelf={isSelf} close={close} done={reload} />}
      {asks === "rename" && <RenameMailbox user={user} close={close} done={(address) => go(href(["mailboxes", address]))} />}
      {asks === "password" && <NewPassword address={user.address} close={close} />}
      {asks === "disable" && <Confirm title={t("disable.title", { name: user.address })} text={t("disable.about")} action={t("disable")} run={() => setDisabled(true)} close={close} />}
      {asks === "delete" && <Confirm title={t("delete.title", { name: user.address })} text={t("delete-mailbox.about", { n: user.usage.messages })} action={t("delete")} name={user.address} tone="danger" close={close}
        run={async () => { await remove(["users", user.address]); toast(t("deleted", { name: user.address })); go("/mailboxes"); }} />}
    </>
  );
}
