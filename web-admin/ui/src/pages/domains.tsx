// Domains: what must be published in the DNS, what is wrong there, keys.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, patch, post, remove } from "../api";
import { BulkBar, type Errand, ErrandDialog, useChosen } from "../bulk";
import type { DkimKeys, DkimKey, DnsCheck, DnsPublished, DnsRecords, Domain, DomainPage as Domains } from "../../generated/api";
import { number, size } from "../format";
import { Confirm, Search, Tabs } from "../forms";
import { Card, Empty, Failure, Head, Icon, Shown, State, Time, toast, type Tone, useLoad } from "../parts";
import { Pager, Table } from "../table";
import { href, type Place } from "../router";
import { isServerAdmin } from "../session";
import { t } from "../words";
import { Said } from "../said";
import { filter, pagingOf, SortBy, sortedBy, sortingOf } from "./lists";
import { Progress } from "./check_progress";
import { DnsChanges } from "./dns_changes";
import { knownOf, Record, Records, toneOf } from "./dns_records";
import { NewDomain } from "./domain_name";
import { DomainSettings } from "./domain_settings";
import { type Kind, save, sizeMember, Transfer, yesOrNo } from "./transfer";

const kFile: Kind<Domain> = {
  path: "domains",
  columns: ["name", "default_quota_bytes", "language", "disabled", "alias_of"],
  fill: (domain) => [domain.name, String(domain.default_quota_bytes), domain.language, String(domain.disabled), domain.alias_of ?? ""],
  body: ({ name = "", default_quota_bytes, language, disabled, alias_of }) => {
    const quota = sizeMember("default_quota_bytes", default_quota_bytes);
    const isDisabled = yesOrNo(disabled);
    return name.includes(".") && quota && isDisabled !== undefined ? { name, ...quota, ...(language ? { language } : {}), ...(isDisabled ? { disabled: true } : {}), ...(alias_of ? { alias_of } : {}) } : undefined;
  },
};

const kOrders = ["name", "mailboxes", "created"] as const;

export function DomainsPage({ place }: { place: Place }): JSX.Element {
  const find = place.query.get("find") ?? "";
  const sort = sortedBy(place, kOrders);
  const paging = pagingOf(place);
  const [isNew, setNew] = useState(false);
  const loaded = useLoad(`domains ${find} ${sort} ${paging.after}`, (signal) => get<Domains>(["domains"], { limit: 25, after: paging.after, search: find, sort }, signal));
  const chosen = useChosen(`${find} ${sort} ${paging.after}`);
  const [errand, begin] = useState<Errand>();
  const setDisabled = (disabled: boolean): void => begin({ title: disabled ? t("disable") : t("enable"), names: [...chosen.keys], one: (name) => patch(["domains", name], { disabled }), ...(disabled ? { ask: { text: t("domain.disable.about"), action: t("disable") } } : {}) });
  return (
    <>
      <Head title={t("domains")} about={t("domains.about")}>{isServerAdmin() && <><Transfer kind={kFile} parameters={{ search: find }} done={loaded.reload} /><button type="button" class="btn primary" onClick={() => setNew(true)}><Icon name="plus" />{t("new-domain")}</button></>}</Head>
      <Card label={t("domains")}>
        <div class="tools"><Search label={t("domains.find")} value={find} onInput={(value) => filter(place, { find: value })} /><SortBy place={place} orders={kOrders} /></div>
        <Shown from={loaded}>{(page) => page.items.length === 0
        ? <Empty icon="globe" title={find ? t("nothing-found") : t("no-domain")}><p>{find ? t("domains.find.about") : t("no-domain.about")}</p></Empty>
        : <>{isServerAdmin() && <BulkBar chosen={chosen}><button type="button" class="btn s" onClick={() => setDisabled(true)}>{t("disable")}</button><button type="button" class="btn s" onClick={() => setDisabled(false)}>{t("enable")}</button></BulkBar>}<Table<Domain> label={t("domains")} items={page.items} keyOf={(one) => one.name} {...(isServerAdmin() ? { chosen } : {})} sorting={sortingOf(place, kOrders)} columns={[
          { word: "domain", order: "name", main: true, cell: (one) => <><a class="title break" href={href(["domains", one.name])}>{one.display_name}</a>{one.display_name !== one.name && <><br /><span class="small muted">{one.name}</span></>}</> },
          { word: "state", cell: (one) => one.disabled ? <State tone="off">{t("disabled")}</State> : <State tone="ok">{t("active")}</State> },
          { word: "kind", class: "wide", cell: (one) => one.alias_of ? t("alias-of", { name: one.alias_of }) : t(`kind.${one.kind}`) },
          { word: "mailboxes", order: "mailboxes", class: "num", cell: (one) => one.kind === "relay" || one.alias_of ? "–" : <a href={href(["mailboxes"], { domain: one.name })} aria-label={`${t("mailboxes")}: ${one.display_name}, ${number(one.mailboxes)}`}>{number(one.mailboxes)}</a> },
          { word: "storage-limit", class: "wide", cell: (one) => one.default_quota_bytes ? size(one.default_quota_bytes) : t("no-limit") },
          { word: "created", order: "created", class: "wide", cell: (one) => <Time at={one.created} as="short" /> },
        ]} /><Pager count={page.items.length} next={page.next} back={paging.back} forward={paging.forward} /></>}</Shown></Card>
      {isNew && <NewDomain close={() => setNew(false)} />}
      {errand && <ErrandDialog errand={errand} close={() => { begin(undefined); chosen.set(new Set()); loaded.reload(); }} />}
    </>
  );
}

export function DomainPage({ name, tab }: { name: string; tab: string }): JSX.Element {
  const domain = useLoad(`domain ${name}`, (signal) => get<Domain>(["domains", name], {}, signal));
  return <Shown from={domain}>{(one) => <>{tab === "keys" ? <Keys domain={one} /> : tab === "settings" ? <DomainSettings key={one.created} domain={one} tabs={<DomainTabs domain={one} tab="settings" />} done={domain.reload} /> : <Dns domain={one} />}</>}</Shown>;
}

function DomainTabs({ domain, tab }: { domain: Domain; tab: string }): JSX.Element {
  const tabs = [["", t("dns")], ["keys", t("keys")], ["settings", t("settings")]] as const;
  return <Tabs label={domain.display_name} tabs={[...tabs.map(([to, text]) => ({ to: href(["domains", domain.name, ...(to ? [to] : [])]), text, isHere: to === tab })), ...(domain.alias_of || domain.kind === "relay" ? [] : [{ to: href(["mailboxes"], { domain: domain.name }), text: t("mailboxes") }])]} />;
}

function Dns({ domain }: { domain: Domain }): JSX.Element {
  const records = useLoad(`dns ${domain.name}`, (signal) => get<DnsRecords>(["domains", domain.name, "dns"], {}, signal));
  const [check, setCheck] = useState<{ value?: DnsCheck; error?: unknown; isBusy?: boolean }>({});
  const run = (): void => {
    setCheck((before) => ({ ...before, isBusy: true }));
    post<DnsCheck>(["domains", domain.name, "dns", "check"]).then((value) => setCheck({ value }), (error: unknown) => setCheck({ error }));
  };
  const [isPublishing, setPublishing] = useState(false);
  const isFault = (one: Parameters<typeof toneOf>[0] | undefined): boolean => one !== undefined && (toneOf(one) === "bad" || toneOf(one) === "warn");
  const faults = check.value?.items.filter(isFault) ?? [];
  // What the last check found is told until there is a new one.
  const last = check.value ? check.value.last_check : records.value?.last_check;
  const known = check.value || !last ? [] : records.value?.items.map((one) => knownOf(one, last)).filter(isFault) ?? [];
  const count = faults.length + known.length;
  const tone = check.value ? ({ green: "ok", yellow: "warn", red: "bad" } as const)[check.value.light] : known.some((one) => one && toneOf(one) === "bad") ? "bad" : known.length ? "warn" : "ok";
  return (
    <>
      <Head title={!last ? domain.display_name : count ? t("dns.faults", { n: count }) : t("dns.right")} crumbs={<><a href="/domains">{t("domains")}</a><span>/</span>{domain.display_name}</>}
        {...(last ? { tone } : {})} about={check.isBusy ? t("checking") : last ? <>{domain.display_name} · {t("dns.checked")} <Time at={last.checked} /></> : t("dns.unchecked")}>
        <button type="button" class="btn" disabled={!records.value} onClick={() => save(`${domain.name}.zone`, "text/plain", records.value?.zone ?? "")}><Icon name="down" />{t("zone-file")}</button>
        <button type="button" class="btn primary" disabled={check.isBusy ?? false} onClick={run}><Icon name="refresh" />{check.isBusy ? t("checking") : last ? t("check-again") : t("check-now")}</button>
      </Head>
      <DomainTabs domain={domain} tab="" />
      {check.isBusy && <Progress path={["domains", domain.name, "dns", "check"]} />}
      {check.error !== undefined && <Failure error={check.error} retry={run} />}
      {faults.length > 0 && <Card title={t("to-mend")}><ul class="rows">{faults.map((one) => (
        <li key={one.zone_line}><Icon name={toneOf(one) === "bad" ? "s-bad" : "s-warn"} tone={toneOf(one)} /><div class="grow stack tight"><h3>{t(`purpose.${one.purpose}`)}: {t(`state.${one.state}`)}</h3><p class="small muted break"><Said text={one.meaning} /></p><Record record={one} />{one.found.length > 0 && <p class="small muted break">{t("found")}: <span class="mono">{one.found.join(" · ")}</span></p>}</div></li>
      ))}</ul><footer><button type="button" class="btn s" onClick={() => setPublishing(true)}>{t("dns.publish")} …</button><span class="muted">{t("dns.publish.hint")}</span></footer></Card>}
      {isPublishing && <Confirm title={t("dns.publish")} text={t("dns.publish.about")} action={t("dns.publish.do")} close={() => setPublishing(false)}
        run={async () => { const done = await post<DnsPublished>(["domains", domain.name, "dns", "publish"]); toast(t("dns.published", { n: done.items.length })); run(); }} />}
      {last && <DnsChanges last={last} />}
      <Card title={t("all-records")}><Shown from={records}>{(all) => <Records records={all.items} check={check.value} {...(last ? { last } : {})} />}</Shown></Card>
    </>
  );
}

function Keys({ domain }: { domain: Domain }): JSX.Element {
  const keys = useLoad(`keys ${domain.name}`, (signal) => get<DkimKeys>(["domains", domain.name, "dkim"], {}, signal));
  const [error, setError] = useState<unknown>();
  const [asked, ask] = useState<string>();
  const act = (what: "rotate" | "activate"): void => void post<DkimKeys>(["domains", domain.name, "dkim", what]).then(() => { setError(undefined); toast(t(`keys.${what}.done`)); keys.reload(); }, setError);
  const isPending = keys.value?.items.some((key) => key.state === "pending") ?? false;
  const stateTone: Record<DkimKey["state"], Tone> = { active: "ok", pending: "warn", retiring: "off" };
  return (
    <>
      <Head title={t("keys.title")} about={t("keys.about")} crumbs={<><a href="/domains">{t("domains")}</a><span>/</span>{domain.display_name}</>}>
        {isPending ? <button type="button" class="btn primary" onClick={() => act("activate")}>{t("keys.activate")}</button> : <button type="button" class="btn" onClick={() => act("rotate")}><Icon name="key" />{t("keys.rotate")}</button>}
      </Head>
      <DomainTabs domain={domain} tab="keys" />
      {error !== undefined && <Failure error={error} />}
      <Card label={t("keys")}><Shown from={keys}>{(all) => <ul class="rows">{all.items.map((key) => (
        <li key={key.selector}><div class="grow stack tight"><div class="line"><b class="break">{key.selector}</b><span class="tag">{key.algorithm}</span><State tone={stateTone[key.state]}>{t(`key.${key.state}`)}</State><button type="button" class="btn danger s end" onClick={() => ask(key.selector)}>{t("delete")} …</button></div>
          <Record record={{ name: key.record_name, type: "TXT", value: key.record }} />{key.retires && <p class="small muted">{t("keys.retires")} <Time at={key.retires} as="short" /></p>}</div></li>
      ))}</ul>}</Shown></Card>
      {asked !== undefined && <Confirm title={t("delete.title", { name: asked })} text={t("keys.delete")} action={t("delete")} name={asked} tone="danger" close={() => ask(undefined)} run={async () => { await remove(["domains", domain.name, "dkim", asked]); keys.reload(); }} />}
    </>
  );
}
