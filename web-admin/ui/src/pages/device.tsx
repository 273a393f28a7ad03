// What a mail program needs for an address: a code for phones, a profile for Apple's devices, the servers for everything else.
import type { JSX } from "preact";
import { get } from "../api";
import type { ClientSettings } from "../../generated/api";
import { Copy } from "../forms";
import { Card, Head, Shown, useLoad } from "../parts";
import { t } from "../words";

type Server = ClientSettings["servers"][number];

export function Code({ code, label }: { code: NonNullable<ClientSettings["qr"]>; label: string }): JSX.Element {
  return <svg class="qr" role="img" aria-label={label} viewBox={`0 0 ${code.size} ${code.size}`} shape-rendering="crispEdges"><path d={code.path} /></svg>;
}

function ServerFacts({ server, hostname, address }: { server: Server; hostname: string; address: string }): JSX.Element {
  const name = t(`device.${server.protocol}`);
  const rows = [[t("device.server"), hostname], [t("device.port"), String(server.port)]] as const;
  return (
    <div class="stack tight"><h3>{name} <span class="tag">{server.encryption === "tls" ? "TLS" : "STARTTLS"}</span></h3>
      <dl class="record">{rows.map(([label, value]) => <div key={label}><dt>{label}</dt><dd><span class="mono">{value}</span><Copy text={value} label={`${t("copy")}: ${name} ${label}`} /></dd></div>)}
        <div><dt>{t("device.user")}</dt><dd><span class="mono break">{address}</span><Copy text={address} label={`${t("copy")}: ${name} ${t("device.user")}`} /></dd></div></dl></div>
  );
}

/** The better way of each protocol; the others only take space, and IMAP is what everybody wants. */
function bestOf(servers: readonly Server[]): Server[] {
  return (["imap", "submission", "pop3"] as const).flatMap((protocol) => servers.find((one) => one.protocol === protocol) ?? []);
}

export function DeviceSettings({ address }: { address: string }): JSX.Element {
  const loaded = useLoad(`device ${address}`, (signal) => get<ClientSettings>(["client-settings"], { address }, signal));
  return (
    <Shown from={loaded}>{(one) => (
      <>
        <div class="halves">
          <Card title={t("device.apple")}><div class="pad line">{one.qr && <Code code={one.qr} label={t("device.code")} />}<ol class="numbered stack tight"><li>{t("device.apple.scan")}</li><li>{t("device.apple.allow")}</li><li>{t("device.apple.install")}</li></ol></div><footer><a class="btn" href={one.profile} download="">{t("device.profile")}</a></footer></Card>
          <Card title={t("device.others")}><div class="pad stack"><p>{t("device.others.about")}</p><p class="small muted">{t("device.password")}</p></div></Card>
        </div>
        <Card title={t("device.by-hand")}><div class="pad thirds">{bestOf(one.servers).map((server) => <ServerFacts key={server.protocol} server={server} hostname={one.hostname} address={one.address} />)}</div></Card>
      </>
    )}</Shown>
  );
}

export function DevicePage({ address, crumb }: { address: string; crumb: JSX.Element }): JSX.Element {
  return <><Head title={t("device.title")} about={<span class="break">{address}</span>} crumbs={crumb} /><DeviceSettings address={address} /></>;
}
