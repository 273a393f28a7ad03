// What changes without a restart, with meaning and default.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, put, remove } from "../api";
import type { Setting } from "../../generated/api";
import { Card, Dialog, Failure, Field, Head, Search, Shown, toast, useLoad } from "../parts";
import type { Place } from "../router";
import { language, t } from "../words";
import { filter } from "./lists";

/** The server tells what they mean in English; other languages have it here. */
async function loadSettings(signal: AbortSignal): Promise<{ items: Setting[] }> {
  const now = language();
  const [{ items }, { meanings }] = await Promise.all([get<{ items: Setting[] }>(["settings"], {}, signal), import("../words/settings")]);
  return { items: now === "en" ? items : items.map((one) => ({ ...one, meaning: meanings[now][one.name.split("@")[0]!] ?? one.meaning })) };
}

export function SettingsPage({ place }: { place: Place }): JSX.Element {
  const find = place.query.get("find") ?? "";
  const [edited, edit] = useState<Setting>();
  const loaded = useLoad("settings", loadSettings);
  return (
    <>
      <Head title={t("settings")} about={t("settings.about")} />
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
