// Certificates: what mail programs and other servers are shown; ordering one from a CA, uploading one of one's own.
import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { get, post, put, remove } from "../api";
import type { Certificate, CertificatePage, Setting } from "../../generated/api";
import type { IconName } from "../icons";
import { Confirm, Dialog, Field } from "../forms";
import { Card, Failure, Head, Icon, Shown, Time, toast, useLoad, type Tone } from "../parts";
import { passedOver, type PassedOver } from "../passed_over";
import { href } from "../router";
import { Said } from "../said";
import { t } from "../words";

const tones: Record<Certificate["state"], Tone> = { ordered: "info", failing: "bad", valid: "ok", renewal_failing: "warn", expired: "bad" };
const iconOf: Record<Tone, IconName> = { ok: "s-ok", bad: "s-bad", warn: "s-warn", info: "s-wait", off: "s-off" };

type Other = NonNullable<CertificatePage["default"]>;
const hasEnded = (other: Other | null | undefined): boolean => Boolean(other?.not_after && Date.parse(other.not_after) <= Date.now());

export function Certificates({ tabs }: { tabs: JSX.Element }): JSX.Element {
  const loaded = useLoad("certificates", (signal) => get<CertificatePage>(["certificates"], { limit: 200 }, signal), 10);
  const [asks, ask] = useState<"order" | "upload">();
  const [dropped, drop] = useState<Certificate>();
  const [error, setError] = useState<unknown>();
  const bad = (loaded.value?.items.filter((one) => tones[one.state] === "bad").length ?? 0) + (hasEnded(loaded.value?.default) ? 1 : 0);
  const isOwn = loaded.value?.default?.source === "self-signed" && loaded.value.items.length === 0;
  const order = (hostname: string): void => void post<Certificate>(["certificates"], { hostname }).then(() => { setError(undefined); toast(t("certificate.is-ordered")); loaded.reload(); }, setError);
  const close = (): void => ask(undefined);
  return (
    <>
      <Head title={!loaded.value ? t("certificates") : bad ? t("certificates.bad", { n: bad }) : isOwn ? t("certificates.none") : t("certificates.well")} about={t("certificates.about")}>
        <button type="button" class="btn" onClick={() => ask("upload")}><Icon name="up" />{t("certificate.do-upload")}</button>
        <button type="button" class="btn primary" onClick={() => ask("order")}><Icon name="plus" />{t("certificate.order")}</button>
      </Head>
      {tabs}
      {error !== undefined && <Failure error={error} />}
      <Shown from={loaded}>{(page) => <Card label={t("certificates")}><ul class="rows">
        {page.items.map((one) => <One key={one.hostname} one={one} renew={() => order(one.hostname)} drop={() => drop(one)} />)}
        {page.default && <Default other={page.default} />}
      </ul></Card>}</Shown>
      {loaded.value && loaded.value.passed_over.length > 0 && <Card title={t("passed.title")}><ul class="rows">{loaded.value.passed_over.map((one) => <Passed key={one.hostname} one={one} />)}</ul></Card>}
      {asks === "order" && <Order close={close} done={loaded.reload} />}
      {asks === "upload" && <Upload close={close} done={loaded.reload} />}
      {dropped && <Confirm title={t("delete.title", { name: dropped.hostname })} text={t("certificate.delete.about")} action={t("delete")} tone="danger" close={() => drop(undefined)} run={async () => { await remove(["certificates", dropped.hostname]); toast(t("deleted", { name: dropped.hostname })); loaded.reload(); }} />}
    </>
  );
}

function One({ one, renew, drop }: { one: Certificate; renew: () => void; drop: () => void }): JSX.Element {
  return (
    <li><Icon name={iconOf[tones[one.state]]} tone={tones[one.state]} />
      <div class="grow"><b class="break">{one.hostname}</b> <span class="tag">{t(`certificate-source.${one.source}`)}</span>
        <p class="small muted break">{t(`certificate-state.${one.state}`)}{one.issuer && ` · ${one.issuer}`}{one.not_after && <> · {t("expires")} <Time at={one.not_after} as="short" /></>}</p>
        {one.last_error && <p class="small break"><Said text={one.last_error} /></p>}
        {one.next_attempt && one.state !== "valid" && <p class="small muted">{t("next-attempt")}: <Time at={one.next_attempt} /></p>}</div>
      {one.source === "acme" && <button type="button" class="btn s" aria-label={`${t("certificate.renew")}: ${one.hostname}`} onClick={renew}>{t("certificate.renew")}</button>}
      <button type="button" class="btn s danger" aria-label={`${t("delete")}: ${one.hostname}`} onClick={drop}>{t("delete")} …</button></li>
  );
}

function Passed({ one }: { one: PassedOver }): JSX.Element {
  const passes = one.kind === "dns_silent" || one.kind === "later";
  const tone = passes ? "info" : one.kind === "name_missing" ? "off" : "warn";
  return (
    <li><Icon name={iconOf[tone]} tone={tone} /><div class="grow"><b class="break">{one.hostname}</b><p class="small muted break">{passedOver(one)}</p></div>
      {!passes && <a class="end small" href={one.kind === "own_addresses_unknown" ? href(["settings"], { find: "public.addresses" }) : href(["domains", one.hostname.slice(one.hostname.indexOf(".") + 1)])}>{t(one.kind === "own_addresses_unknown" ? "settings" : "passed.records")}</a>}</li>
  );
}

function Default({ other }: { other: Other }): JSX.Element {
  const isOwn = other.source === "self-signed";
  const tone = hasEnded(other) ? "bad" : isOwn ? "warn" : "ok";
  return (
    <li><Icon name={iconOf[tone]} tone={tone} />
      <div class="grow"><b>{t("certificate.others")}</b> <span class="tag">{t(`certificate-source.${other.source}`)}</span>
        <p class="small muted break">{hasEnded(other) && `${t("certificate-state.expired")} · `}{other.names?.join(", ")}{other.not_after && <> · {t("expires")} <Time at={other.not_after} as="short" /></>}</p>
        {isOwn && <p class="small">{t("certificate.self-signed.about")}</p>}</div></li>
  );
}

function Order({ close, done }: { close: () => void; done: () => void }): JSX.Element {
  const id = useId();
  const terms = useLoad("acme.accept_terms", (signal) => get<Setting>(["settings", "acme.accept_terms"], {}, signal));
  const [hostname, setHostname] = useState("");
  const [accepts, setAccepts] = useState(false);
  const [error, setError] = useState<unknown>();
  const isAccepted = terms.value?.value === "1";
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      if (!isAccepted) await put(["settings", "acme.accept_terms"], { value: "1" });
      await post<Certificate>(["certificates"], { hostname: hostname.trim() });
      toast(t("certificate.is-ordered"));
      close();
      done();
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <Dialog title={t("certificate.order")} close={close}><form class="stack" onSubmit={submit}>
      <p class="small muted">{t("certificate.order.about")}</p>
      <Field label={t("hostname")} name="hostname" value={hostname} onInput={setHostname} required autofocus placeholder="mail.example.org" />
      {terms.value && !isAccepted && <label class="choice" for={id}><input class="pick" type="checkbox" id={id} checked={accepts} onChange={(event) => setAccepts(event.currentTarget.checked)} /><span class="small">{t("certificate.terms")}</span></label>}
      {error !== undefined && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary" disabled={!isAccepted && !accepts}>{t("certificate.do-order")}</button></div>
    </form></Dialog>
  );
}

/** A text that may come from a file. */
export function PemField({ label, name, value, onInput }: { label: string; name: string; value: string; onInput: (text: string) => void }): JSX.Element {
  const id = useId();
  return (
    <div class="field"><label for={id}>{label}</label>
      <textarea class="input mono" id={id} name={name} rows={4} required spellcheck={false} autocomplete="off" value={value} placeholder="-----BEGIN" onInput={(event) => onInput(event.currentTarget.value)} />
      <input class="input" type="file" accept=".pem,.crt,.cer,.key" aria-label={`${label}: ${t("from-file")}`} onChange={(event) => void event.currentTarget.files?.[0]?.text().then(onInput)} />
    </div>
  );
}

function Upload({ close, done }: { close: () => void; done: () => void }): JSX.Element {
  const [hostname, setHostname] = useState("");
  const [chain, setChain] = useState("");
  const [key, setKey] = useState("");
  const [error, setError] = useState<unknown>();
  const submit = (event: Event): void => {
    event.preventDefault();
    put<Certificate>(["certificates", hostname.trim()], { chain, key }).then(() => { toast(t("certificate.in-use")); close(); done(); }, setError);
  };
  return (
    <Dialog title={t("certificate.do-upload")} close={close}><form class="stack" onSubmit={submit}>
      <Field label={t("hostname")} name="hostname" value={hostname} onInput={setHostname} required autofocus placeholder="mail.example.org" />
      <PemField label={t("certificate.chain")} name="chain" value={chain} onInput={setChain} />
      <PemField label={t("certificate.key")} name="key" value={key} onInput={setKey} />
      {error !== undefined && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary">{t("certificate.do-upload")}</button></div>
    </form></Dialog>
  );
}
