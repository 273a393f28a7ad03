// Version, health and where the server listens.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, post } from "../api";
import type { DeliveryReport, Status } from "../../generated/api";
import { duration, size } from "../format";
import { Card, Failure, Head, Icon, Shown, Time, useLoad } from "../parts";
import { t } from "../words";
import { DeliveryRows } from "./overview";

export function AboutPage(): JSX.Element {
  const status = useLoad("status", (signal) => get<Status>(["status"], {}, signal));
  const delivery = useLoad("delivery", (signal) => get<DeliveryReport>(["delivery-check"], {}, signal));
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const check = (): void => {
    setBusy(true);
    post<DeliveryReport>(["delivery-check"]).then(() => { setError(undefined); delivery.reload(); }, setError).finally(() => setBusy(false));
  };
  return (
    <>
      <Head title={status.value ? `Posthus ${status.value.version}` : "Posthus"} about={t("about.licence")}><button type="button" class="btn" disabled={isBusy} onClick={check}><Icon name="refresh" />{isBusy ? t("checking") : t("delivery.check")}</button></Head>
      {error !== undefined && <Failure error={error} />}
      <div class="halves">
        <Card title={t("server")}><Shown from={status}>{(one) => <><div class="pad"><dl class="facts">
          <dt>{t("hostname")}</dt><dd>{one.hostname}</dd><dt>{t("running-for")}</dt><dd>{duration(one.uptime_seconds)}</dd><dt>{t("memory")}</dt><dd>{size(one.memory.resident_bytes ?? 0)}</dd>
          <dt>{t("mail-stored")}</dt><dd>{size(one.store.live_bytes ?? 0)}</dd><dt>{t("index")}</dt><dd>{size(one.store.index_used_bytes ?? 0)}</dd></dl></div>
          <ul class="rows">{one.listeners.map((listener) => <li key={listener.name + listener.address}><div class="grow">{listener.name}{listener.implicit_tls && <span class="small muted"> · TLS</span>}</div><span class="end small muted mono break">{listener.address}{listener.port ? `:${listener.port}` : ""}</span></li>)}</ul></>}</Shown></Card>
        <Card title={t("delivery")} aside={<span class="small muted">{delivery.value?.checked ? <Time at={delivery.value.checked} /> : t("not-checked")}</span>}><Shown from={delivery}>{(report) => <DeliveryRows report={report} />}</Shown></Card>
      </div>
    </>
  );
}
