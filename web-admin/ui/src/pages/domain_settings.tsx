// What holds for a whole domain: language of reports, storage for new mailboxes, how much each account may send, and its end.
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { patch, remove } from "../api";
import type { Domain, Language } from "../../generated/api";
import { parseSize, size } from "../format";
import { Card, Confirm, Failure, Field, Head, Select, toast } from "../parts";
import { go } from "../router";
import { isServerAdmin } from "../session";
import { languages, t } from "../words";

/** A number, "" for none; undefined when it is neither. */
export function parseLimit(text: string): number | null | undefined {
  if (text.trim() === "") return null;
  const value = /^\d{1,10}$/.test(text.trim()) ? Number(text) : Number.NaN;
  return value <= 4_294_967_295 ? value : undefined;
}

/** A size as it is written into a field; empty for 0. */
export const sizeText = (bytes: number): string => (bytes ? size(bytes).replace(/[\u00a0\u202f]/g, " ") : "");

export function DomainSettings({ domain, tabs, done }: { domain: Domain; tabs: ComponentChildren; done: () => void }): JSX.Element {
  const [quota, setQuota] = useState(sizeText(domain.default_quota_bytes));
  const [language, setLanguage] = useState<Language>(domain.language);
  const [messages, setMessages] = useState(domain.messages_per_day?.toString() ?? "");
  const [recipients, setRecipients] = useState(domain.new_recipients_per_day?.toString() ?? "");
  const [error, setError] = useState<unknown>();
  const [asks, ask] = useState<"disable" | "delete">();
  const bytes = quota.trim() === "" ? 0 : parseSize(quota);
  const limits = [parseLimit(messages), parseLimit(recipients)] as const;
  const save = (event: Event): void => {
    event.preventDefault();
    if (bytes === undefined || limits[0] === undefined || limits[1] === undefined) return;
    patch<Domain>(["domains", domain.name], { default_quota_bytes: bytes, language, ...(isServerAdmin() ? { messages_per_day: limits[0], new_recipients_per_day: limits[1] } : {}) })
      .then(() => { setError(undefined); toast(t("saved")); done(); }, setError);
  };
  const setDisabled = (disabled: boolean): Promise<void> => patch<Domain>(["domains", domain.name], { disabled }).then(() => {
    toast(disabled ? t("is-disabled", { name: domain.display_name }) : t("is-enabled", { name: domain.display_name }), disabled ? () => void setDisabled(false).catch(setError) : undefined);
    done();
  });
  const bad = t("limit.bad");
  return (
    <>
      <Head title={t("domain.settings", { name: domain.display_name })} about={t("domain.settings.about")} crumbs={<><a href="/domains">{t("domains")}</a><span>/</span>{domain.display_name}</>}>
        {isServerAdmin() && (domain.disabled ? <button type="button" class="btn" onClick={() => void setDisabled(false).catch(setError)}>{t("enable")}</button> : <button type="button" class="btn" onClick={() => ask("disable")}>{t("disable")}</button>)}
      </Head>
      {tabs}
      <Card title={t("for-new-mailboxes")}><form class="pad stack narrow" onSubmit={save}>
        <Field label={t("storage-limit")} name="quota" value={quota} onInput={setQuota} hint={t("domain.quota.hint")} {...(bytes === undefined ? { error: t("quota.bad") } : {})} />
        {isServerAdmin() && <><Field label={t("messages-per-day")} name="messages" value={messages} onInput={setMessages} hint={t("limit.hint")} {...(limits[0] === undefined ? { error: bad } : {})} />
        <Field label={t("recipients-per-day")} name="recipients" value={recipients} onInput={setRecipients} hint={t("limit.hint")} {...(limits[1] === undefined ? { error: bad } : {})} /></>}
        <div class="field"><span class="label">{t("report-language")}</span><Select<Language> label={t("report-language")} value={language} onChange={setLanguage} options={Object.entries(languages) as [Language, string][]} /></div>
        {error !== undefined && <Failure error={error} />}
        <button class="btn primary">{t("save")}</button>
      </form></Card>
      {isServerAdmin() && <Card title={t("delete-domain")}><div class="pad stack"><p class="small muted">{t("delete-domain.about")}</p><button type="button" class="btn danger" onClick={() => ask("delete")}>{t("delete")} …</button></div></Card>}
      {asks === "disable" && <Confirm title={t("disable.title", { name: domain.display_name })} text={t("domain.disable.about")} action={t("disable")} run={() => setDisabled(true)} close={() => ask(undefined)} />}
      {asks === "delete" && <Confirm title={t("delete.title", { name: domain.display_name })} text={t("delete-domain.about")} action={t("delete")} name={domain.name} tone="danger" close={() => ask(undefined)}
        run={async () => { await remove(["domains", domain.name]); toast(t("deleted", { name: domain.display_name })); go("/domains"); }} />}
    </>
  );
}
