// Version, health and where the server listens.
import type { JSX } from "preact";
import { get } from "../api";
import type { Status } from "../../generated/api";
import { duration, number, size } from "../format";
import { Card, Head, Icon, Shown, useLoad } from "../parts";
import { t } from "../words";

export function AboutPage(): JSX.Element {
  const status = useLoad("status", (signal) => get<Status>(["status"], {}, signal));
  return (
    <>
      <Head title={status.value ? `Posthus ${status.value.version}` : "Posthus"} about={t("about.licence")} />
      {status.value && status.value.warnings.length > 0 && <Card title={t("warnings.title")}><ul class="rows">{status.value.warnings.map((one) => (
        <li key={one.kind + one.address}><Icon name="s-warn" tone="warn" /><div class="grow"><b class="break">{t(`warning.${one.kind}`, { address: one.address })}</b><p class="small muted break">{t(`warning.${one.kind}.fix`)}</p></div></li>
      ))}</ul></Card>}
      <Shown from={status}>{(one) => (
        <div class="halves">
          <Card title={t("server")}><div class="pad"><dl class="facts">
            <dt>{t("hostname")}</dt><dd>{one.hostname}</dd><dt>{t("running-for")}</dt><dd>{duration(one.uptime_seconds)}</dd><dt>{t("memory")}</dt><dd>{size(one.memory.resident_bytes ?? 0)}</dd>
            <dt>{t("mail-stored")}</dt><dd>{size(one.store.live_bytes ?? 0)}</dd><dt>{t("index")}</dt><dd>{size(one.store.index_used_bytes ?? 0)}</dd></dl></div></Card>
          <Card title={t("listens")}><ul class="rows">{one.listeners.map((listener) => (
            <li key={listener.name + listener.address}><div class="grow">{listener.name}{listener.implicit_tls && <span class="small muted"> · TLS</span>}<p class="small muted mono break">{listener.address}{listener.port ? `:${listener.port}` : ""}</p></div><span class="end small muted">{t("n.connections", { n: number(listener.connections) })}</span></li>
          ))}</ul></Card>
        </div>
      )}</Shown>
      <Card title={t("bundle")}><div class="pad stack tight"><p>{t("bundle.about")}</p><div class="line"><a class="btn" href="/api/v1/support-bundle" download><Icon name="down" />{t("bundle.get")}</a></div></div></Card>
    </>
  );
}
