// What holds for a whole domain: language of reports, storage for new mailboxes, how much its accounts may send, each and together, and its end.
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { patch, remove } from "../api";
import type { Domain, Language } from "../../generated/api";
import { Confirm, Field, Select } from "../forms";
import { Card, Failure, Head, toast } from "../parts";
import { go } from "../router";
import { isServerAdmin } from "../session";
import { languages, t, type Word } from "../words";
import { AliasOf, ChecksRecipients, DomainName } from "./domain_name";
import { DomainRoute } from "./domain_route";
import { parseDays, parseLimit, sizeIn, sizeText } from "./limits";

export function DomainSettings({ domain, tabs, done }: { domain: Domain; tabs: ComponentChildren; done: () => void }): JSX.Element {
  const [quota, setQuota] = useState(sizeText(domain.default_quota_bytes));
  const [language, setLanguage] = useState<Language>(domain.language);
  const [messages, setMessages] = useState(domain.messages_per_day?.toString() ?? "");
  const [recipients, setRecipients] = useState(domain.new_recipients_per_day?.toString() ?? "");
  const [allMessages, setAllMessages] = useState(domain.domain_messages_per_day?.toString() ?? "");
  const [allRecipients, setAllRecipients] = useState(domain.domain_new_recipients_per_day?.toString() ?? "");
  const [days, setDays] = useState(domain.pop3_retention_days ? String(domain.pop3_retention_days) : "");
  const [own, setOwn] = useState(domain.own_aliases ? String(domain.own_aliases) : "");
  const [error, setError] = useState<unknown>();
  const [asks, ask] = useState<"disable" | "delete">();
  const bytes = sizeIn(quota, domain.default_quota_bytes);
  const limits = { messages_per_day: parseLimit(messages), new_recipients_per_day: parseLimit(recipients), domain_messages_per_day: parseLimit(allMessages), domain_new_recipients_per_day: parseLimit(allRecipients) };
  const ownNumber = own.trim() === "" ? 0 : /^\d{1,3}$/.test(own.trim()) && Number(own) <= 100 ? Number(own) : undefined;
  const keptDays = parseDays(days, 0);
  const save = (event: Event): void => {
    event.preventDefault();
    if (ownNumber === undefined || keptDays === undefined) return;
    if (bytes === undefined || Object.values(limits).includes(undefined)) return;
    patch<Domain>(["domains", domain.name], { default_quota_bytes: bytes, language, own_aliases: ownNumber, pop3_retention_days: keptDays, ...(isServerAdmin() ? limits : {}) })
      .then(() => { setError(undefined); toast(t("saved")); done(); }, setError);
  };
  const setDisabled = (disabled: boolean): Promise<void> => patch<Domain>(["domains", domain.name], { disabled }).then(() => {
    toast(disabled ? t("is-disabled", { name: domain.display_name }) : t("is-enabled", { name: domain.display_name }), disabled ? () => void setDisabled(false).catch(setError) : undefined);
    done();
  });
  const limitField = (label: Word, name: keyof typeof limits, value: string, set: (value: string) => void, hint: string): JSX.Element =>
    <Field label={t(label)} name={name} value={value} onInput={set} hint={hint} {...(limits[name] === undefined ? { error: t("limit.bad") } : {})} />;
  const { sending } = domain;
  const today = t("domain.sent-today", { sent: sending.messages_today, forwarded: sending.forwards_today, limit: sending.messages_limit });
  return (
    <>
      <Head title={t("domain.settings", { name: domain.display_name })} about={t("domain.settings.about")} crumbs={<><a href="/domains">{t("domains")}</a><span>/</span>{domain.display_name}</>}>
        {isServerAdmin() && (domain.disabled ? <button type="button" class="btn" onClick={() => void setDisabled(false).catch(setError)}>{t("enable")}</button> : <button type="button" class="btn" onClick={() => ask("disable")}>{t("disable")}</button>)}
      </Head>
      {tabs}
      {domain.alias_of ? <AliasOf domain={domain} home={domain.alias_of} /> : domain.kind === "relay" ? <Relayed domain={domain} done={done} /> : <Card title={t("for-new-mailboxes")}><form class="pad stack narrow" onSubmit={save}>
        <Field label={t("storage-limit")} name="quota" value={quota} onInput={setQuota} hint={t("domain.quota.hint")} {...(bytes === undefined ? { error: t("quota.bad") } : {})} />
        <Field label={t("retention")} name="retention" value={days} onInput={setDays} hint={t("retention.hint")} {...(keptDays === undefined ? { error: t("retention.bad") } : {})} />
        {isServerAdmin() ? <>
          {limitField("each-messages-per-day", "messages_per_day", messages, setMessages, t("limit.hint"))}
          {limitField("each-recipients-per-day", "new_recipients_per_day", recipients, setRecipients, t("limit.hint"))}
          {limitField("domain-messages-per-day", "domain_messages_per_day", allMessages, setAllMessages, `${t("domain.limit.hint")} ${today}`)}
          {limitField("domain-recipients-per-day", "domain_new_recipients_per_day", allRecipients, setAllRecipients, t("domain.limit.hint"))}
        </> : <p class="small muted">{today}</p>}
        <Field label={t("own-aliases.allowed")} name="own-limit" value={own} onInput={setOwn} hint={t("own-aliases.allowed.hint")} {...(ownNumber === undefined ? { error: t("own-aliases.allowed.bad") } : {})} />
        <div class="field"><span class="label">{t("report-language")}</span><Select<Language> label={t("report-language")} value={language} onChange={setLanguage} options={Object.entries(languages) as [Language, string][]} /></div>
        {error !== undefined && <Failure error={error} />}
        <button class="btn primary">{t("save")}</button>
      </form></Card>}
      {isServerAdmin() && !domain.alias_of && <DomainRoute domain={domain} />}
      {isServerAdmin() && domain.kind === "mailboxes" && !domain.alias_of && <DomainName domain={domain} />}
      {isServerAdmin() && <Card title={t("delete-domain")}><div class="pad stack"><p class="small muted">{t(domain.alias_of ? "alias-domain.delete" : "delete-domain.about")}</p><button type="button" class="btn danger" onClick={() => ask("delete")}>{t("delete")} …</button></div></Card>}
      {asks === "disable" && <Confirm title={t("disable.title", { name: domain.display_name })} text={t("domain.disable.about")} action={t("disable")} run={() => setDisabled(true)} close={() => ask(undefined)} />}
      {asks === "delete" && <Confirm title={t("delete.title", { name: domain.display_name })} text={t(domain.alias_of ? "alias-domain.delete" : "delete-domain.about")} action={t("delete")} name={domain.name} tone="danger" close={() => ask(undefined)}
        run={async () => { await remove(["domains", domain.name]); toast(t("deleted", { name: domain.display_name })); go("/domains"); }} />}
    </>
  );
}

/** Of a relay domain: its mailboxes, and what holds for them, are on another server. */
function Relayed({ domain, done }: { domain: Domain; done: () => void }): JSX.Element {
  const [checks, setChecks] = useState<"yes" | "no">(domain.check_recipients ? "yes" : "no");
  const [error, setError] = useState<unknown>();
  const save = (event: Event): void => {
    event.preventDefault();
    patch<Domain>(["domains", domain.name], { check_recipients: checks === "yes" }).then(() => { setError(undefined); toast(t("saved")); done(); }, setError);
  };
  return (
    <Card title={t("domain.kind.relay")}><form class="pad stack narrow" onSubmit={save}>
      <p class="small muted">{t("relay.about")}</p>
      {isServerAdmin() && <ChecksRecipients value={checks} set={setChecks} />}
      {error !== undefined && <Failure error={error} />}
      {isServerAdmin() && <button class="btn primary">{t("save")}</button>}
    </form></Card>
  );
}
