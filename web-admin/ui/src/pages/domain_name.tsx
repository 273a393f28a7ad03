// The names of a domain: a new one, another name for one that is there, and what a further name is.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { post, put } from "../api";
import type { Domain } from "../../generated/api";
import { Dialog, Field, Select } from "../forms";
import { Card, Failure, toast } from "../parts";
import { go, href } from "../router";
import { t } from "../words";

type NewKind = "own" | "alias" | "relay";

/** Whether the server of a relay domain is asked for each recipient. */
export function ChecksRecipients({ value, set }: { value: "yes" | "no"; set: (value: "yes" | "no") => void }): JSX.Element {
  return <div class="field"><span class="label">{t("relay.recipients")}</span><Select<"yes" | "no"> label={t("relay.recipients")} value={value} onChange={set} options={[["no", t("relay.takes-all")], ["yes", t("relay.asks")]]} /><p class="hint">{t("relay.recipients.hint")}</p></div>;
}

export function NewDomain({ close }: { close: () => void }): JSX.Element {
  const [name, setName] = useState("");
  const [kind, setKind] = useState<NewKind>("own");
  const [home, setHome] = useState("");
  const [checks, setChecks] = useState<"yes" | "no">("no");
  const [error, setError] = useState<unknown>();
  const submit = (event: Event): void => {
    event.preventDefault();
    post<Domain>(["domains"], { name: name.trim(), ...(kind === "alias" ? { alias_of: home.trim() } : {}), ...(kind === "relay" ? { kind, check_recipients: checks === "yes" } : {}) }).then((made) => {
      toast(t("made", { name: made.display_name }));
      close();
      go(href(["domains", made.name]));
    }, setError);
  };
  return (
    <Dialog title={t("new-domain")} close={close}><form class="stack" onSubmit={submit}>
      <Field label={t("domain")} name="domain" value={name} onInput={setName} required autofocus placeholder="example.org" hint={t("new-domain.hint")} />
      <div class="field"><span class="label">{t("domain.kind")}</span><Select<NewKind> label={t("domain.kind")} value={kind} onChange={setKind} options={[["own", t("domain.kind.own")], ["alias", t("domain.kind.alias")], ["relay", t("domain.kind.relay")]]} /></div>
      {kind === "alias" && <Field label={t("alias-of.label")} name="alias-of" value={home} onInput={setHome} required hint={t("alias-of.hint")} />}
      {kind === "relay" && <><p class="small muted">{t("relay.about")}</p><ChecksRecipients value={checks} set={setChecks} /></>}
      {error !== undefined && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary">{t("add")}</button></div>
    </form></Dialog>
  );
}

function RenameDomain({ domain, close }: { domain: Domain; close: () => void }): JSX.Element {
  const [name, setName] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const submit = (event: Event): void => {
    event.preventDefault();
    setBusy(true);
    put<Domain>(["domains", domain.name, "name"], { name: name.trim() }).then((renamed) => {
      toast(t("domain.renamed", { name: renamed.display_name }));
      close();
      go(href(["domains", renamed.name, "settings"]));
    }, (failure: unknown) => { setError(failure); setBusy(false); });
  };
  return (
    <Dialog title={t("domain.rename.of", { name: domain.display_name })} close={close}><form class="stack" onSubmit={submit}>
      <ul class="points">
        <li>{t("domain.rename.about")}</li>
        <li>{t("domain.rename.old", { name: domain.display_name })}</li>
        <li>{t("domain.rename.dns", { name: domain.display_name })}</li>
      </ul>
      <Field label={t("domain.rename.new")} name="domain" value={name} onInput={setName} required autofocus placeholder="example.org" />
      {error !== undefined && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary" disabled={isBusy}>{t("domain.rename")}</button></div>
    </form></Dialog>
  );
}

export function DomainName({ domain }: { domain: Domain }): JSX.Element {
  const [asks, ask] = useState(false);
  return (
    <Card title={t("domain.name")}><div class="pad stack">
      <p class="small muted">{t("domain.name.about")}</p>
      <button type="button" class="btn" onClick={() => ask(true)}>{t("domain.rename")} …</button>
      {asks && <RenameDomain domain={domain} close={() => ask(false)} />}
    </div></Card>
  );
}

/** What a domain is that is another's name. */
export function AliasOf({ domain, home }: { domain: Domain; home: string }): JSX.Element {
  return <Card title={t("alias-of", { name: home })}><div class="pad stack"><p class="small muted">{t("alias-of.about", { name: domain.display_name, home })}</p><a class="btn" href={href(["domains", home, "settings"])}>{t("domain.settings", { name: home })}</a></div></Card>;
}
