// Is everything all right? Only what the server measures is shown; a figure without a source is not here.
import type { JSX } from "preact";
import { get } from "../api";
import type { DeliveryReport, DestinationPage, QueuePage, Status } from "../../generated/api";
import { duration, number, size } from "../format";
import type { IconName } from "../icons";
import { Card, Head, Icon, Shown, State, Time, useLoad, type Tone } from "../parts";
import { href } from "../router";
import { t } from "../words";
import { reasonOf } from "./timeline";

interface Overview { status: Status; destinations: DestinationPage; held: QueuePage; delivery: DeliveryReport }
interface Problem { tone: Tone; icon: IconName; what: string; about: string; to: string; action: string }

export const loadOverview = async (signal: AbortSignal): Promise<Overview> => {
  const [status, destinations, held, delivery] = await Promise.all([
    get<Status>(["status"], {}, signal), get<DestinationPage>(["queue", "destinations"], { limit: 100 }, signal),
    get<QueuePage>(["queue"], { state: "held", limit: 100 }, signal), get<DeliveryReport>(["delivery-check"], {}, signal),
  ]);
  return { status, destinations, held, delivery };
};

export function problemsOf({ destinations, held, delivery, status }: Overview): Problem[] {
  const problems: Problem[] = [];
  for (const item of delivery.items) {
    if (item.state !== "wrong") continue;
    problems.push({ tone: "bad", icon: "s-bad", what: `${t(`check.${item.check}`)}: ${item.subject}`, about: item.action || item.meaning, to: href(["about"]), action: t("show") });
  }
  if (held.items.length) problems.push({ tone: "warn", icon: "s-warn", what: t("held.mails", { n: held.items.length }), about: t("held.about"), to: href(["queue"], { state: "held" }), action: t("review") });
  const late = destinations.items.filter((one) => one.last_reply);
  for (const one of late.slice(0, 5)) {
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
  const { status, delivery, destinations } = all;
  const problems = problemsOf(all);
  const waiting = destinations.items.reduce((sum, one) => sum + one.waiting, 0);
  const tone: Tone = problems.some((one) => one.tone === "bad") ? "bad" : problems.length ? "warn" : "ok";
  const figures: [string, string, string | undefined, string][] = [
    [t("waiting"), number(waiting) + (destinations.next ? "+" : ""), t("n.destinations", { n: destinations.items.length }), "/queue"],
    [t("domains"), number(status.counts.domains), undefined, "/domains"],
    [t("mailboxes"), number(status.counts.users), undefined, "/mailboxes"],
    [t("aliases"), number(status.counts.aliases), undefined, "/aliases"],
    [t("mail-stored"), size(status.store.live_bytes ?? 0), t("on-disk", { size: size(status.store.segment_bytes ?? 0) }), "/mailboxes"],
    [t("memory"), size(status.memory.resident_bytes ?? 0), undefined, "/about"],
  ];
  return (
    <>
      <Head tone={tone} title={problems.length ? t("needs", { n: problems.length }) : t("all-well")} about={t("up", { host: status.hostname, time: duration(status.uptime_seconds) })} />
      {problems.length > 0 && (
        <Card title={t("needs-you")}><ul class="rows">{problems.map((one) => (
          <li key={one.what}><Icon name={one.icon} tone={one.tone} /><div class="grow"><b class="break">{one.what}</b><p class="small muted break">{one.about}</p></div><a class="btn s" href={one.to}>{one.action}</a></li>
        ))}</ul></Card>
      )}
      <section class="card tiles" aria-label={t("figures")}>{figures.map(([label, figure, hint, to]) => (
        <a key={label} class="tile" href={to}><span class="label">{label}</span><span class="fig">{figure}</span>{hint && <span class="hint">{hint}</span>}</a>
      ))}</section>
      <Card title={t("delivery")} aside={<span class="small muted">{delivery.checked ? <Time at={delivery.checked} /> : t("not-checked")}</span>}>
        <DeliveryRows report={delivery} />
      </Card>
    </>
  );
}

export function DeliveryRows({ report }: { report: DeliveryReport }): JSX.Element {
  if (!report.checked) return <div class="pad"><State tone="off" icon="s-unknown">{t("delivery.unchecked")}</State></div>;
  return (
    <ul class="rows">{report.items.map((item) => (
      <li key={item.check + item.subject}>
        <Icon name={item.state === "ok" ? "s-ok" : item.state === "wrong" ? "s-bad" : "s-unknown"} tone={item.state === "ok" ? "ok" : item.state === "wrong" ? "bad" : "off"} label={t(`state.${item.state}`)} />
        <div class="grow">{t(`check.${item.check}`)}<p class="small muted break">{item.meaning}{item.action && ` ${item.action}`}</p></div>
        <span class="end small muted break">{item.subject}</span>
      </li>
    ))}</ul>
  );
}

