// What was going on: mail, the queue, sign-ins, connections, storage over an hour, a day, a month or a year.
import type { JSX } from "preact";
import { get } from "../api";
import type { History } from "../../generated/api";
import { number, size } from "../format";
import { lazy } from "../lazy";
import { Card, Shown, useLoad } from "../parts";
import { href, usePlace } from "../router";
import { t } from "../words";

const Chart = lazy("chart", () => import("../chart").then((m) => m.Chart));
const kSpans = ["hour", "day", "month", "year"] as const;
const kFigures = "received,sent,refused,queue,sign_ins,failed_sign_ins,connections,store_bytes,disk_free_bytes";

export function HistoryCard(): JSX.Element {
  const place = usePlace();
  const span = kSpans.find((one) => one === place.query.get("span")) ?? "day";
  const loaded = useLoad(`history ${span}`, (signal) => get<History>(["history"], { span, figure: kFigures }, signal), 60);
  const spans = <div class="seg" role="group" aria-label={t("period")}>{kSpans.map((one) => <a key={one} href={href(place.segments, { span: one })} {...(one === span ? { "aria-current": "true" as const } : {})}>{t(`span.${one}`)}</a>)}</div>;
  return <Card title={t("history")} aside={spans}><Shown from={loaded} rows={8}>{(history) => <Charts history={history} />}</Shown></Card>;
}

function Charts({ history }: { history: History }): JSX.Element {
  const { start, step, figures } = history;
  const of = (name: string): (number | null)[] => figures[name] ?? [];
  const common = { start, step };
  return (
    <div class="pad charts">
      <Chart {...common} label={t("mail")} shows="sum" format={number} series={[{ name: t("figure.received"), values: of("received") }, { name: t("figure.sent"), values: of("sent") }, { name: t("figure.refused"), values: of("refused") }]} />
      <Chart {...common} label={t("queue")} shows="last" format={number} series={[{ name: t("waiting"), values: of("queue") }]} />
      <Chart {...common} label={t("figure.sign-ins")} shows="sum" format={number} series={[{ name: t("figure.all"), values: of("sign_ins") }, { name: t("figure.failed"), values: of("failed_sign_ins") }]} />
      <Chart {...common} label={t("figure.connections")} shows="last" format={number} series={[{ name: t("figure.at-most"), values: of("connections") }]} />
      <Chart {...common} label={t("figure.store")} shows="last" format={size} series={[{ name: t("figure.store"), values: of("store_bytes") }]} />
      <Chart {...common} label={t("figure.disk-free")} shows="last" format={size} series={[{ name: t("figure.disk-free"), values: of("disk_free_bytes") }]} />
    </div>
  );
}
