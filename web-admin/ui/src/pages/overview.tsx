// Is everything all right? Only what the server measures is shown; a figure without a source is not here.
import type { JSX } from "preact";
import { get } from "../api";
import type { AlertList, CertificatePage, DeliveryReport, DestinationPage, QueuePage, Status, UserPage } from "../../generated/api";
import { atLeast, duration, number, size } from "../format";
import { holdWords } from "../hold";
import type { IconName } from "../icons";
import { passedOver } from "../passed_over";
import { Bar, Card, Head, Icon, Shown, useLoad, type Tone } from "../parts";
import { href } from "../router";
import { language, t } from "../words";
import { Said } from "../said";
import { HistoryCard } from "./history";
import { reasonOf } from "./reason";

interface Overview { status: Status; destinations: DestinationPage; held: QueuePage; delivery: DeliveryReport; accounts: UserPage; full: UserPage; certificates: CertificatePage; alerts: AlertList }
interface Problem { tone: Tone; icon: IconName; what: string; about: string; to: string; action: string }

export const loadOverview = async (signal: AbortSignal): Promise<Overview> => {
  const [status, destinations, held, delivery, accounts, full, certificates, alerts] = await Promise.all([
    get<Status>(["status"], {}, signal), get<DestinationPage>(["queue", "destinations"], { limit: 100 }, signal),
    get<QueuePage>(["queue"], { state: "held", limit: 100 }, signal), get<DeliveryReport>(["delivery-check"], {}, signal),
    get<UserPage>(["users"], { state: "held", limit: 20 }, signal), get<UserPage>(["users"], { state: "almost_full", limit: 20 }, signal), get<CertificatePage>(["certificates"], { limit: 200 }, signal),
    get<AlertList>(["alerts"], { state: "open", language: language(), limit: 50 }, signal),
  ]);
  return { status, destinations, held, delivery, accounts, full, certificates, alerts };
};

const kLittleDisk = 0.1;
const kMost = 3;  // of a kind: the rest is one click away

export function problemsOf({ destinations, held, delivery, status, accounts, full, certificates, alerts }: Overview): Problem[] {
  const problems: Problem[] = [];
  const disk = status.disk;
  if (disk && disk.available_bytes < disk.total_bytes * kLittleDisk) {
    problems.push({ tone: "bad", icon: "s-bad", what: t("disk.little"), about: t("disk.left", { free: size(disk.available_bytes), total: size(disk.total_bytes) }), to: href(["about"]), action: t("show") });
  }
  for (const one of certificates.items) {
    if (one.state !== "failing" && one.state !== "expired" && one.state !== "renewal_failing") continue;
    problems.push({ tone: one.state === "renewal_failing" ? "warn" : "bad", icon: one.state === "renewal_failing" ? "s-warn" : "s-bad", what: `${one.hostname}: ${t(`certificate-state.${one.state}`)}`, about: one.last_error ?? "", to: href(["security", "certificates"]), action: t("show") });
  }
  // WHY only these: a name that is not there yet is in the list of the domain's records, and the others pass by themselves.
  const astray = certificates.passed_over.filter(({ kind }) => kind === "leads_elsewhere" || kind === "own_addresses_unknown");
  if (astray.length) {
    problems.push({ tone: "warn", icon: "s-warn", what: t("passed.of", { n: astray.length }), about: `${astray[0]!.hostname}: ${passedOver(astray[0]!)}`, to: href(["security", "certificates"]), action: t("show") });
  }
  for (const one of status.warnings) {
    problems.push({ tone: "warn", icon: "s-warn", what: t(`warning.${one.kind}`, { address: one.address }), about: t(`warning.${one.kind}.fix`), to: href(["about"]), action: t("show") });
  }
  const isTrusted = certificates.items.some((one) => one.state === "valid" || one.state === "renewal_failing");
  if (certificates.default?.source === "self-signed" && !isTrusted) {
    problems.push({ tone: "warn", icon: "s-warn", what: t("certificates.none"), about: t("certificate.self-signed.about"), to: href(["security", "certificates"]), action: t("show") });
  }
  for (const one of accounts.items.slice(0, kMost)) {
    problems.push({ tone: "warn", icon: "s-warn", what: t("held.account.of", { name: one.address }), about: holdWords(one.sending.hold) || t("held.no-reason"), to: href(["security"]), action: t("review") });
  }
  for (const one of full.items.slice(0, kMost)) {
    problems.push({ tone: "warn", icon: "s-warn", what: t("full.of", { name: one.address }), about: t("full.about", { used: size(one.usage.bytes), limit: size(one.quota_bytes) }), to: href(["mailboxes", one.address]), action: t("show") });
  }
  for (const item of delivery.items) {
    if (item.state !== "wrong" || (item.check === "certificate" && !isTrusted)) continue;
    problems.push({ tone: "bad", icon: "s-bad", what: `${t(`check.${item.check}`)}: ${item.subject}`, about: item.action || item.meaning, to: href(["delivery"]), action: t("show") });
  }
  // WHY only these: of the others the page finds out by itself, earlier.
  for (const one of alerts.items.filter(({ kind }) => kind === "logins" || kind === "clock" || kind === "queue")) {
    problems.push({ tone: "warn", icon: "s-warn", what: one.title, about: one.action, to: href(["alerts"]), action: t("show") });
  }
  if (held.items.length) problems.push({ tone: "warn", icon: "s-warn", what: t("held.mails", { n: atLeast(held.items.length, held.next !== null) }), about: t("held.about"), to: href(["queue"], { view: "mail", state: "held" }), action: t("open-queue") });
  const late = destinations.items.filter((one) => one.last_reply);
  for (const one of late.slice(0, kMost)) {
    problems.push({ tone: "warn", icon: "s-wait", what: t("waiting.for", { n: one.waiting, destination: one.destination }), about: t(reasonOf(one.last_reply ?? "") ?? "reason.later"), to: href(["queue"], { view: "mail", domain: one.destination }), action: t("open-queue") });
  }
  if (status.counts.domains === 0) problems.push({ tone: "info", icon: "info", what: t("no-domain"), about: t("no-domain.about"), to: href(["domains"]), action: t("new-domain") });
  return problems;
}

export function OverviewPage(): JSX.Element {
  const loaded = useLoad("overview", loadOverview, 10);
  return <Shown from={loaded}>{(all) => <Answer all={all} />}</Shown>;
}

function Answer({ all }: { all: Overview }): JSX.Element {
  const { status, delivery } = all;
  const problems = problemsOf(all);
  const tone: Tone = problems.some((one) => one.tone === "bad") ? "bad" : problems.length ? "warn" : "ok";
  return (
    <>
      <Head tone={tone} title={problems.length ? t("needs", { n: problems.length }) : t("all-well")} about={t("up", { host: status.hostname, time: duration(status.uptime_seconds) })} />
      {problems.length > 0 && (
        <Card title={t("needs-you")}><ul class="rows">{problems.map((one) => (
          <li key={one.what}><Icon name={one.icon} tone={one.tone} /><div class="grow"><b class="break">{one.what}</b><p class="small muted break"><Said text={one.about} /></p></div><a class="btn s" href={one.to}>{one.action}</a></li>
        ))}</ul></Card>
      )}
      <HistoryCard />
      <div class="halves"><Server status={status} delivery={delivery} /><Card title={t("connections")} aside={<span class="small muted live">{t("live")}</span>}><Tiles figures={connectionsOf(status)} /></Card></div>
    </>
  );
}

type Figure = readonly [label: string, figure: string, hint: string, to: string];
function Tiles({ figures }: { figures: readonly Figure[] }): JSX.Element {
  return (
    <div class="tiles">{figures.map(([label, figure, hint, to]) => {
      const inner = <><span class="label">{label}</span><span class="fig">{figure}</span>{hint && <span class="hint">{hint}</span>}</>;
      return to ? <a key={label} class="tile" href={to}>{inner}</a> : <div key={label} class="tile">{inner}</div>;
    })}</div>
  );
}

/** Of each service once, however many addresses it has: connections are counted by service. */
function connectionsOf(status: Status): Figure[] {
  const services = new Map(status.listeners.filter((one) => one.port !== 0).map((one) => [one.name, one.connections]));
  return [...services].map(([name, open]) => [kServices.find((one) => one === name) ? t(`service.${name as (typeof kServices)[number]}`) : name, number(open), "", ""]);
}
const kServices = ["smtp", "submission", "submissions", "imap", "imaps", "pop3", "pop3s", "http", "https"] as const;

const kLights = { green: ["s-ok", "ok"], yellow: ["s-unknown", "off"], red: ["s-bad", "bad"] } as const;

function Server({ status, delivery }: { status: Status; delivery: DeliveryReport }): JSX.Element {
  const disk = status.disk;
  const part = disk ? 1 - disk.available_bytes / disk.total_bytes : 0;
  const [light, tone] = delivery.checked ? kLights[delivery.light] : (["s-unknown", "off"] as const);
  const isLow = part > 1 - kLittleDisk;
  return (
    <Card title={t("server")} aside={<a class="small" href="/about">{t("more-about")}</a>}><ul class="rows">
      <li><Icon name={!disk ? "s-unknown" : isLow ? "s-bad" : "s-ok"} tone={!disk ? "off" : isLow ? "bad" : "ok"} /><div class="grow">{t("disk")}<p class="small muted">{disk ? t("disk.left", { free: size(disk.available_bytes), total: size(disk.total_bytes) }) : t("not-measured")}</p>{disk && <Bar part={part} tone={isLow ? "bad" : "info"} />}</div></li>
      <li><Icon name={light} tone={tone} /><div class="grow">{t("delivery")}<p class="small muted">{delivery.checked ? t(`light.${delivery.light}`) : t("delivery.never")}</p></div><a class="end small" href="/delivery">{t("delivery.check")}</a></li>
      <li><Icon name="box" tone="off" /><div class="grow">{t("mail-stored")}</div><span class="end small muted">{size(status.store.live_bytes)}</span></li>
      <li><Icon name="gauge" tone="off" /><div class="grow">{t("memory")}</div><span class="end small muted">{size(status.memory.resident_bytes)}</span></li>
      <li><Icon name="globe" tone="off" /><div class="grow">{t("counts")}</div><span class="end small muted">{t("counts.all", { domains: status.counts.domains, users: status.counts.users, aliases: status.counts.aliases })}</span></li>
    </ul></Card>
  );
}
