// Which way mail of one domain goes: what it sends, and of a relay domain what it receives.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, remove } from "../api";
import type { Domain, MailRoutePage } from "../../generated/api";
import { Confirm } from "../forms";
import { Card, Shown, toast, useLoad } from "../parts";
import { t } from "../words";
import { NewRoute, nameOf } from "./routes";

/** The most the server gives at once. WHY a list: to ask for the one by its name when there is none is an error in the browser's console. */
const kMost = 1000;

export function DomainRoute({ domain }: { domain: Domain }): JSX.Element {
  const name = domain.kind === "relay" ? domain.name : `from:${domain.name}`;
  const [isNew, setNew] = useState(false);
  const [isAsked, ask] = useState(false);
  const loaded = useLoad(`route of ${name}`, (signal) => get<MailRoutePage>(["routes"], { limit: kMost }, signal));
  return (
    <Card title={nameOf({ name })}><Shown from={loaded} rows={1}>{(page) => {
      const route = page.items.find((one) => one.name === name);
      return (
        <div class="pad stack">
          <p class="small muted">{t(domain.kind === "relay" ? "domain.route.relay" : "domain.route.about")}</p>
          {route && <p class="mono break">{route.hops.join(" → ")}{route.login && ` (${t("route.signs-in", { login: route.login })})`}</p>}
          <div class="line"><button type="button" class="btn" onClick={() => setNew(true)}>{t(route ? "domain.route.change" : "new-route")} …</button>{route && <button type="button" class="btn danger" onClick={() => ask(true)}>{t("domain.route.delete")} …</button>}</div>
          {isNew && <NewRoute name={name} {...(route ? { before: route } : {})} close={() => setNew(false)} done={loaded.reload} />}
          {isAsked && <Confirm title={t("delete.title", { name: nameOf({ name }) })} text={t("route.delete.about")} action={t("delete")} tone="danger" close={() => ask(false)} run={async () => { await remove(["routes", name]); toast(t("deleted", { name: nameOf({ name }) })); loaded.reload(); }} />}
        </div>
      );
    }}</Shown></Card>
  );
}
