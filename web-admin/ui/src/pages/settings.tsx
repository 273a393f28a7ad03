// What changes without a restart, with meaning and default; and the routes mail takes to other servers.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, put, remove } from "../api";
import type { MailRoute, MailRoutePage, Setting } from "../../generated/api";
import { Card, Dialog, Empty, Failure, Field, Head, Icon, Search, Shown, toast, useLoad } from "../parts";
import type { Place } from "../router";
import { t } from "../words";
import { targetsOf } from "./aliases";
import { filter } from "./lists";

export function SettingsPage({ place }: { place: Place }): JSX.Element {
  const find = place.query.get("find") ?? "";
  const [edited, edit] = useState<Setting>();
  const loaded = useLoad("settings", (signal) => get<{ items: Setting[] }>(["settings"], {}, signal));
  return (
    <>
      <Head title={t("settings")} about={t("settings.about")} />
      <Routes />
      <Card title={t("settings")}>
        <div class="tools"><Search label={t("settings.find")} value={find} onInput={(value) => filter(place, { find: value })} /></div>
        <Shown from={loaded}>{({ items }) => <ul class="rows">{items.filter((one) => `${one.name} ${one.meaning}`.toLowerCase().includes(find.toLowerCase())).map((one) => (
          <li key={one.name}><div class="grow"><b class="mono break">{one.name}</b><p class="small muted">{one.meaning}</p></div>
            <div class="end"><span class="break">{(one.value ?? one.default) || "–"}</span><p class="small muted break">{one.value === null ? t("is-default") : t("default-is", { value: one.default || "–" })}</p></div>
            <button type="button" class="btn s" aria-label={`${t("change")}: ${one.name}`} onClick={() => edit(one)}>{t("change")}</button></li>
        ))}</ul>}</Shown>
      </Card>
      {edited && <EditSetting setting={edited} close={() => edit(undefined)} done={loaded.reload} />}
    </>
  );
}

function EditSetting({ setting, close, done }: { setting: Setting; close: () => void; done: () => void }): JSX.Element {
  const [value, setValue] = useState(setting.value ?? setting.default);
  const [error, setError] = useState<unknown>();
  const finish = (what: Promise<unknown>): void => void what.then(() => { toast(t("saved")); close(); done(); }, setError);
  return (
    <Dialog title={setting.name} close={close}><form class="stack" onSubmit={(event) => { event.preventDefault(); finish(put(["settings", setting.name], { value })); }}>
      <Field label={t("value")} name="value" value={value} onInput={setValue} hint={`${setting.meaning}. ${t("default-is", { value: setting.default || "–" })}`} autofocus />
      {error !== undefined && <Failure error={error} />}
      <div class="buttons">{setting.value !== null && <button type="button" class="btn" onClick={() => finish(remove(["settings", setting.name]))}>{t("use-default")}</button>}<button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary">{t("save")}</button></div>
    </form></Dialog>
  );
}

function Routes(): JSX.Element {
  const [isNew, setNew] = useState(false);
  const [error, setError] = useState<unknown>();
  const loaded = useLoad("routes", (signal) => get<MailRoutePage>(["routes"], { limit: 200 }, signal));
  const drop = (one: MailRoute): void => void remove(["routes", one.name]).then(() => { toast(t("deleted", { name: one.name })); loaded.reload(); }, setError);
  return (
    <Card title={t("routes")} aside={<button type="button" class="btn quiet s" onClick={() => setNew(true)}><Icon name="plus" />{t("new-route")}</button>}>
      {error !== undefined && <Failure error={error} />}
      <Shown from={loaded}>{(page) => page.items.length === 0 ? <Empty icon="route" title={t("no-routes")}><p>{t("no-routes.about")}</p></Empty>
        : <ul class="rows">{page.items.map((one) => <li key={one.name}><div class="grow"><b class="break">{one.name === "*" ? t("all-other-mail") : one.name}</b><p class="small muted mono break">{one.hops.join(" → ")}{one.login && ` (${one.login})`}</p></div><button type="button" class="btn s danger" aria-label={`${t("delete")}: ${one.name}`} onClick={() => drop(one)}>{t("delete")}</button></li>)}</ul>}</Shown>
      {isNew && <NewRoute close={() => setNew(false)} done={loaded.reload} />}
    </Card>
  );
}

function NewRoute({ close, done }: { close: () => void; done: () => void }): JSX.Element {
  const [name, setName] = useState("*");
  const [hops, setHops] = useState("");
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<unknown>();
  const submit = (event: Event): void => {
    event.preventDefault();
    put(["routes", name.trim()], { hops: targetsOf(hops), ...(login ? { login, password } : {}) }).then(() => { toast(t("saved")); close(); done(); }, setError);
  };
  return (
    <Dialog title={t("new-route")} close={close}><form class="stack" onSubmit={submit}>
      <Field label={t("route.for")} name="route-name" value={name} onInput={setName} required hint={t("route.for.hint")} />
      <Field label={t("route.hops")} name="hops" value={hops} onInput={setHops} required placeholder="smtp://relay.example.org:587" autofocus />
      <Field label={t("route.login")} name="login" value={login} onInput={setLogin} />
      <Field label={t("password")} name="route-password" type="password" autocomplete="new-password" value={password} onInput={setPassword} />
      {error !== undefined && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary">{t("save")}</button></div>
    </form></Dialog>
  );
}
