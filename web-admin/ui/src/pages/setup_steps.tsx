// The pages of the set-up. Each says what it is for, does it, shows what reality answered, and goes on only when told.
import type { JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { ApiError, get, post, put } from "../api";
import type { CertificatePage, DnsCheck, DnsRecords, SetUp, SetUpHostname, SetUpSending } from "../../generated/api";
import { Field } from "../forms";
import { Card, Failure, Icon, Shown, useLoad } from "../parts";
import { Said } from "../said";
import { t } from "../words";
import { PemField } from "./certificates";
import { Steps } from "./delivery";
import { Records } from "./dns_records";
import { Title } from "./setup";
import { Progress } from "./check_progress";

export interface StepProps { setUp: SetUp; set: (to: SetUp) => void; next: () => void }

const kLook = 1000;      // ms between looks at something that takes its time
const kMostLooks = 120;  // a CA may take that long; then the page says so and the person decides

const valueOf = (setUp: SetUp, name: string): string => setUp.steps?.find((one) => one.name === name)?.value ?? "";
const isDone = (setUp: SetUp, name: string): boolean => setUp.steps?.find((one) => one.name === name)?.done ?? false;
export const domainOf = (address: string): string => address.slice(address.lastIndexOf("@") + 1);
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, kLook));

/** Asks again until `isOver`; failures meanwhile are those of a server that begins anew. */
async function until<T>(ask: () => Promise<T>, isOver: (value: T) => boolean): Promise<T> {
  let error: unknown = new ApiError(0, "");
  for (let looks = 0; looks < kMostLooks; ++looks) {
    try {
      const value = await ask();
      if (isOver(value)) return value;
    } catch (failure) {
      error = failure;
    }
    await pause();
  }
  throw error;
}

/** What a page does when it is sent: busy meanwhile, the failure kept to be shown. */
function useWork(): { isBusy: boolean; error: unknown; work: (what: () => Promise<void>) => (event?: Event) => void } {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const work = (what: () => Promise<void>) => (event?: Event): void => {
    event?.preventDefault();
    setBusy(true);
    setError(undefined);
    what().catch(setError).finally(() => setBusy(false));
  };
  return { isBusy, error, work };
}

function Foot({ isBusy, error, label, skip }: { isBusy: boolean; error: unknown; label?: string; skip?: (() => void) | undefined }): JSX.Element {
  return (
    <>
      {error !== undefined && <Failure error={error} />}
      <div class="line wizard-foot"><button class="btn primary" disabled={isBusy}>{isBusy ? t("checking") : (label ?? t("setup.next"))}</button>{skip && <button type="button" class="btn" disabled={isBusy} onClick={skip}>{t("setup.skip")}</button>}</div>
    </>
  );
}

export function AdminStep({ setUp, set, next }: StepProps): JSX.Element {
  const [address, setAddress] = useState(valueOf(setUp, "admin"));
  const [password, setPassword] = useState("");
  const { isBusy, error, work } = useWork();
  return (
    <form class="stack loose" onSubmit={work(async () => { set(await put<SetUp>(["setup", "admin"], { address: address.trim(), password })); next(); })}>
      <Title title={t("setup.admin.title")}>{t("setup.admin.about")}</Title>
      <Card label={t("setup.admin")}><div class="pad stack">
        <Field label={t("address")} name="address" type="email" autocomplete="username" value={address} onInput={setAddress} required autofocus placeholder="admin@example.org" />
        <Field label={t("password")} name="new-password" type="password" autocomplete="new-password" value={password} onInput={setPassword} required hint={t("setup.password.hint")} />
      </div></Card>
      <Foot isBusy={isBusy} error={error} skip={isDone(setUp, "admin") ? next : undefined} />
    </form>
  );
}

export function HostnameStep({ setUp, set, next }: StepProps): JSX.Element {
  const isNamed = isDone(setUp, "hostname");
  const [hostname, setHostname] = useState(isNamed ? (setUp.hostname ?? "") : `mail.${domainOf(valueOf(setUp, "admin"))}`);
  const [found, setFound] = useState<SetUpHostname>();
  const { isBusy, error, work } = useWork();
  const send = async (): Promise<void> => {
    const answer = await put<SetUpHostname>(["setup", "hostname"], { hostname: hostname.trim() });
    // WHY: the server ends and begins again under its new name; until then the old one may still answer.
    set(await until(() => get<SetUp>(["setup"]), (now) => now.hostname === answer.hostname));
    setFound(answer);
  };
  return (
    <form class="stack loose" onSubmit={work(async () => { if (found?.hostname === hostname.trim()) next(); else await send(); })}>
      <Title title={t("setup.hostname.title")}>{t("setup.hostname.about")}</Title>
      <Card label={t("setup.hostname")}><div class="pad stack">
        {setUp.hostname_fixed ? <p>{t("setup.hostname.fixed")} <b class="break">{setUp.hostname}</b></p> : <Field label={t("hostname")} name="hostname" value={hostname} onInput={setHostname} required autofocus placeholder="mail.example.org" />}
        {isBusy && <p class="small muted" role="status">{t("setup.hostname.busy")}</p>}
        {found && <div class={`notice ${found.addresses?.length ? "ok" : "warn"}`} role="status"><Icon name={found.addresses?.length ? "s-ok" : "s-warn"} tone={found.addresses?.length ? "ok" : "warn"} /><div class="grow"><b class="break">{found.addresses?.join(", ") || found.hostname}</b><p class="small"><Said text={found.meaning} /></p></div></div>}
      </div></Card>
      <Foot isBusy={isBusy} error={error} label={found ? t("setup.next") : t("setup.hostname.try")} skip={setUp.hostname_fixed || isNamed ? next : undefined} />
    </form>
  );
}

export function DomainStep({ setUp, set, next }: StepProps): JSX.Element {
  const [name, setName] = useState(setUp.domain || domainOf(valueOf(setUp, "admin")));
  const { isBusy, error, work } = useWork();
  return (
    <form class="stack loose" onSubmit={work(async () => { set(await put<SetUp>(["setup", "domain"], { name: name.trim() })); next(); })}>
      <Title title={t("setup.domain.title")}>{t("setup.domain.about")}</Title>
      <Card label={t("domain")}><div class="pad stack"><Field label={t("domain")} name="domain" value={name} onInput={setName} required autofocus placeholder="example.org" /></div></Card>
      <Foot isBusy={isBusy} error={error} />
    </form>
  );
}

/** How the server writes it: smtps for the port that is TLS from the first byte, else STARTTLS is a must. */
export function hopOf(server: string, port: string): string {
  if (server.includes("://")) return server.trim();
  return port.trim() === "465" ? `smtps://${server.trim()}:465` : `smtp://${server.trim()}:${port.trim() || "587"}?tls=required`;
}

function Choice<T extends string>({ name, value, chosen, choose, title, about }: { name: string; value: T; chosen: T | undefined; choose: (to: T) => void; title: string; about: string }): JSX.Element {
  const id = useId();
  return <label class="choice" for={id}><input class="pick" type="radio" id={id} name={name} checked={chosen === value} onChange={() => choose(value)} /><span class="stack tight"><b>{title}</b><span class="small muted">{about}</span></span></label>;
}

export function SendingStep({ setUp, set, next }: StepProps): JSX.Element {
  const [mode, setMode] = useState<"direct" | "smarthost">(valueOf(setUp, "sending") === "smarthost" ? "smarthost" : "direct");
  const [server, setServer] = useState("");
  const [port, setPort] = useState("587");
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [found, setFound] = useState<SetUpSending>();
  const { isBusy, error, work } = useWork();
  const choose = (to: "direct" | "smarthost"): void => { setMode(to); setFound(undefined); };
  const test = async (): Promise<void> => {
    const body = mode === "direct" ? { mode } : { mode, server: hopOf(server, port), ...(login ? { login, password } : {}) };
    setFound(await put<SetUpSending>(["setup", "sending"], body));
    setFound(await until(() => get<SetUpSending>(["setup", "sending"]), (now) => { setFound(now); return !now.test?.running; }));
    set(await get<SetUp>(["setup"]));
  };
  const works = mode === "direct" ? found?.port_25?.works : found?.test?.works;
  return (
    <form class="stack loose" onSubmit={work(async () => { if (found && !isBusy && works) next(); else await test(); })}>
      <Title title={t("setup.sending.title")}>{t("setup.sending.about")}</Title>
      <fieldset class="stack"><legend class="sr">{t("setup.sending")}</legend>
        <Choice name="mode" value="direct" chosen={mode} choose={choose} title={t("setup.direct")} about={t("setup.direct.about")} />
        <Choice name="mode" value="smarthost" chosen={mode} choose={choose} title={t("setup.smarthost")} about={t("setup.smarthost.about")} />
      </fieldset>
      {mode === "smarthost" && <Card label={t("setup.smarthost")}><div class="pad stack">
        <Field label={t("device.server")} name="server" value={server} onInput={(to) => { setServer(to); setFound(undefined); }} required placeholder="smtp.example.net" />
        <Field label={t("device.port")} name="port" value={port} onInput={setPort} hint={t("setup.port.hint")} />
        <Field label={t("route.login")} name="login" value={login} onInput={setLogin} autocomplete="off" />
        <Field label={t("password")} name="route-password" type="password" autocomplete="new-password" value={password} onInput={setPassword} />
      </div></Card>}
      {found && <Found found={found} mode={mode} />}
      <Foot isBusy={isBusy} error={error} label={works ? t("setup.next") : t("setup.test")} skip={next} />
    </form>
  );
}

function Found({ found, mode }: { found: SetUpSending; mode: "direct" | "smarthost" }): JSX.Element | null {
  if (mode === "smarthost") return found.test?.run ? <Card title={t("setup.found")}><Steps run={found.test.run} works={found.test.works ?? false} /></Card> : null;
  const port25 = found.port_25;
  if (!port25) return null;
  return (
    <Card title={t("setup.found")}><ul class="rows" role="status">
      <li><Icon name={port25.works ? "s-ok" : "s-bad"} tone={port25.works ? "ok" : "bad"} /><div class="grow"><b>{port25.works ? t("setup.port-25.works") : t("setup.port-25.blocked")}</b>{!port25.works && <p class="small muted">{t("setup.port-25.about")}</p>}</div></li>
      {(port25.items ?? []).map((one, at) => <li key={at}><Icon name={one.state === "ok" ? "s-ok" : one.state === "wrong" ? "s-bad" : "s-unknown"} tone={one.state === "ok" ? "ok" : one.state === "wrong" ? "bad" : "off"} /><div class="grow"><span class="break">{one.subject}</span><p class="small muted break"><Said text={one.meaning ?? ""} /> <Said text={one.action ?? ""} /></p></div></li>)}
    </ul></Card>
  );
}

export function CertificateStep({ setUp, set, next }: StepProps): JSX.Element {
  const [mode, setMode] = useState<"acme" | "upload" | "self_signed">("acme");
  const [contact, setContact] = useState(valueOf(setUp, "admin"));
  const [accepts, setAccepts] = useState(false);
  const [chain, setChain] = useState("");
  const [key, setKey] = useState("");
  const [found, setFound] = useState<CertificatePage["items"][number]>();
  const { isBusy, error, work } = useWork();
  const id = useId();
  // WHY not the name as it was when the order began: the server may just be taking another one.
  const latest = useRef(setUp);
  latest.current = setUp;
  const own = (page: CertificatePage): CertificatePage["items"][number] | undefined => page.items.find((one) => one.hostname === latest.current.hostname);
  const send = async (): Promise<void> => {
    const body = mode === "acme" ? { mode, accept_terms: accepts, ...(contact.trim() ? { contact: contact.trim() } : {}) } : mode === "upload" ? { mode, chain, key } : { mode };
    const begun = own(await put<CertificatePage>(["setup", "certificate"], body));
    setFound(begun);
    if (mode === "acme") {
      // WHY the time: until this attempt is over the record tells of the one before.
      const isOver = (now: typeof begun): boolean => now?.state === "valid" || (Boolean(now?.last_error) && now?.last_attempt !== begun?.last_attempt);
      const page = await until(() => get<CertificatePage>(["setup", "certificate"]), (now) => { setFound(own(now)); return isOver(own(now)); });
      if (own(page)?.state !== "valid") return;
    }
    set(await get<SetUp>(["setup"]));
    next();
  };
  return (
    <form class="stack loose" onSubmit={work(send)}>
      <Title title={t("setup.certificate.title")}>{t("setup.certificate.about", { name: setUp.hostname ?? "" })}</Title>
      <fieldset class="stack"><legend class="sr">{t("setup.certificate")}</legend>
        <Choice name="mode" value="acme" chosen={mode} choose={setMode} title={t("setup.acme")} about={t("setup.acme.about")} />
        <Choice name="mode" value="upload" chosen={mode} choose={setMode} title={t("setup.upload")} about={t("setup.upload.about")} />
        <Choice name="mode" value="self_signed" chosen={mode} choose={setMode} title={t("setup.self-signed")} about={t("certificate.self-signed.about")} />
      </fieldset>
      {mode === "acme" && <Card label={t("setup.acme")}><div class="pad stack">
        <Field label={t("setup.contact")} name="contact" type="email" value={contact} onInput={setContact} hint={t("setup.contact.hint")} />
        <label class="choice" for={id}><input class="pick" type="checkbox" id={id} checked={accepts} required onChange={(event) => setAccepts(event.currentTarget.checked)} /><span class="small">{t("certificate.terms")}</span></label>
      </div></Card>}
      {mode === "upload" && <Card label={t("setup.upload")}><div class="pad stack"><PemField label={t("certificate.chain")} name="chain" value={chain} onInput={setChain} /><PemField label={t("certificate.key")} name="key" value={key} onInput={setKey} /></div></Card>}
      {isBusy && mode === "acme" && <p class="stack tight small muted" role="status">{t("setup.acme.busy")}<progress class="progress" aria-label={t("checking")} /></p>}
      {!isBusy && found?.last_error && <div class="notice bad" role="alert"><Icon name="s-bad" tone="bad" /><div class="grow"><b>{t("certificate-state.failing")}</b><p class="small break"><Said text={found.last_error} /></p></div></div>}
      <Foot isBusy={isBusy} error={error} label={mode === "acme" ? t("certificate.do-order") : t("setup.next")} skip={next} />
    </form>
  );
}

export function DnsStep({ set, next }: StepProps): JSX.Element {
  const records = useLoad("set-up dns", (signal) => get<DnsRecords>(["setup", "dns"], {}, signal));
  const [check, setCheck] = useState<DnsCheck>();
  const { isBusy, error, work } = useWork();
  const look = async (): Promise<void> => {
    setCheck(await post<DnsCheck>(["setup", "dns", "check"]));
    set(await get<SetUp>(["setup"]));
  };
  useEffect(() => work(look)(), []);
  const isGreen = check?.light === "green";
  return (
    <form class="stack loose" onSubmit={work(async () => { if (isGreen) next(); else await look(); })}>
      <Title title={!check ? t("setup.dns.title") : isGreen ? t("dns.right") : t("setup.dns.some")}>{t("setup.dns.about")}</Title>
      {isBusy && <Progress path={["setup", "dns", "check"]} />}
      <Shown from={records}>{(all) => <Card title={t("all-records")} ><Records records={all.items} check={check} isOpen /></Card>}</Shown>
      <Foot isBusy={isBusy} error={error} label={isGreen ? t("setup.next") : t("check-again")} skip={isGreen ? undefined : next} />
    </form>
  );
}

export function MailboxStep({ setUp, set, next }: StepProps): JSX.Element {
  const [address, setAddress] = useState(valueOf(setUp, "mailbox"));
  const [password, setPassword] = useState("");
  const { isBusy, error, work } = useWork();
  return (
    <form class="stack loose" onSubmit={work(async () => { set(await put<SetUp>(["setup", "mailbox"], { address: address.trim(), password })); next(); })}>
      <Title title={t("setup.mailbox.title")}>{t("setup.mailbox.about")}</Title>
      <Card label={t("setup.mailbox")}><div class="pad stack">
        <Field label={t("address")} name="address" type="email" value={address} onInput={setAddress} required autofocus placeholder={`anna@${setUp.domain || "example.org"}`} />
        <Field label={t("password")} name="new-password" type="password" autocomplete="new-password" value={password} onInput={setPassword} required hint={t("setup.password.hint")} />
      </div></Card>
      <Foot isBusy={isBusy} error={error} skip={next} />
    </form>
  );
}
