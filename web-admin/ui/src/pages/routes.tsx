// Routes: which servers mail to a domain, from a domain, or all other mail is handed to. Without one it goes straight to the
// recipients' servers.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, put, remove } from "../api";
import { listOf } from "../csv";
import type { MailRoute, MailRoutePage } from "../../generated/api";
import { Confirm, Dialog, Field } from "../forms";
import { Card, Empty, Failure, Head, Icon, Shown, toast, useLoad } from "../parts";
import type { Place } from "../router";
import { Pager } from "../table";
import { t } from "../words";
import { pagingOf } from "./lists";

/** How many there are is known when all are on one page. */
export const titleOf = (page: MailRoutePage | undefined, isFirst: boolean): string =>
  !page || page.next || !isFirst ? t("routes") : page.items.length ? t("routes.some", { n: page.items.length }) : t("no-routes");

export function RoutesPage({ place }: { place: Place }): JSX.Element {
  const paging = pagingOf(place);
  const [isNew, setNew] = useState(false);
  const [changed, change] = useState<MailRoute>();
  const [asked, ask] = useState<MailRoute>();
  const loaded = useLoad(`routes ${paging.after}`, (signal) => get<MailRoutePage>(["routes"], { limit: 25, after: paging.after }, signal));
  return (
    <>
      <Head title={titleOf(loaded.value, !paging.after)} about={t("no-routes.about")}><button type="button" class="btn primary" onClick={() => setNew(true)}><Icon name="plus" />{t("new-route")}</button></Head>
      <Card label={t("routes")}><Shown from={loaded}>{(page) => page.items.length === 0 && !paging.after ? <Empty icon="send" title={t("no-routes")}><p>{t("no-routes.about")}</p></Empty>
        : <><ul class="rows">{page.items.map((one) => <li key={one.name}><div class="grow"><b class="break">{nameOf(one)}</b><p class="small muted mono break">{one.hops.join(" → ")}</p>{one.login && <p class="small muted break">{t("route.signs-in", { login: one.login })}</p>}</div><button type="button" class="btn s" aria-label={`${t("change")}: ${one.name}`} onClick={() => change(one)}>{t("change")}</button><button type="button" class="btn s danger" aria-label={`${t("delete")}: ${one.name}`} onClick={() => ask(one)}>{t("delete")}</button></li>)}</ul><Pager count={page.items.length} next={page.next} back={paging.back} forward={paging.forward} /></>}</Shown></Card>
      {isNew && <NewRoute close={() => setNew(false)} done={loaded.reload} />}
      {changed && <NewRoute name={changed.name} before={changed} close={() => change(undefined)} done={loaded.reload} />}
      {asked && <Confirm title={t("delete.title", { name: nameOf(asked) })} text={t("route.delete.about")} action={t("delete")} tone="danger" close={() => ask(undefined)} run={async () => { await remove(["routes", asked.name]); toast(t("deleted", { name: nameOf(asked) })); loaded.reload(); }} />}
    </>
  );
}

export function nameOf(route: Pick<MailRoute, "name">): string {
  if (route.name === "*") return t("all-other-mail");
  return route.name.startsWith("from:") ? t("route.from", { domain: route.name.slice(5) }) : t("route.to", { domain: route.name });
}

/** `name`: the route is for that and nothing else; `before`: what it is now. */
export function NewRoute({ name: fixed, before, close, done }: { name?: string; before?: MailRoute; close: () => void; done: () => void }): JSX.Element {
  const [name, setName] = useState(fixed ?? "*");
  const [hops, setHops] = useState(before?.hops.join(", ") ?? "");
  const [login, setLogin] = useState(before?.login ?? "");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<unknown>();
  const submit = (event: Event): void => {
    event.preventDefault();
    put(["routes", name.trim()], { hops: listOf(hops), ...(login ? { login, password } : {}) }).then(() => { toast(t("saved")); close(); done(); }, setError);
  };
  return (
    <Dialog title={fixed ? nameOf({ name: fixed }) : t("new-route")} close={close}><form class="stack" onSubmit={submit}>
      {!fixed && <Field label={t("route.for")} name="route-name" value={name} onInput={setName} required hint={t("route.for.hint")} />}
      <Field label={t("route.hops")} name="hops" value={hops} onInput={setHops} required placeholder="smtp://relay.example.org:587" autofocus />
      <Field label={t("route.login")} name="login" value={login} onInput={setLogin} />
      <Field label={t("password")} name="route-password" type="password" autocomplete="new-password" value={password} onInput={setPassword} required={login !== ""} />
      {error !== undefined && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary">{t("save")}</button></div>
    </form></Dialog>
  );
}
