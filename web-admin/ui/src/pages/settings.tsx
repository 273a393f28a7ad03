// What changes without a restart, with meaning and default.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, put, remove } from "../api";
import type { Setting, StartSetting } from "../../generated/api";
import { Dialog, Field, Search } from "../forms";
import { Card, Failure, Head, Shown, toast, useLoad } from "../parts";
import type { Place } from "../router";
import { language, t, type Texts, wordFile } from "../words";
import { filter } from "./lists";

/** The server tells what they mean in English; other languages have it here. */
interface All { items: Setting[]; at_start: StartSetting[] }
async function loadSettings(signal: AbortSignal): Promise<All> {
  const now = language();
  const [{ items, at_start }, words] = await Promise.all([get<All>(["settings"], {}, signal), now === "en" ? undefined : wordFile<{ meanings: Texts }>(now, "meanings")]);
  return { at_start, items: items.map((one) => ({ ...one, meaning: words?.meanings[one.name.split("@")[0]!] ?? one.meaning })) };
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
      {loaded.value && loaded.value.at_start.length > 0 && <AtStart items={loaded.value.at_start} find={find} />}
      {edited && <EditSetting setting={edited} close={() => edit(undefined)} done={loaded.reload} />}
    </>
  );
}

const kDefault = "default";

/** What only a restart changes; first what somebody has set. */
function AtStart({ items, find }: { items: readonly StartSetting[]; find: string }): JSX.Element | null {
  const found = items.filter((one) => `${one.name} ${one.value}`.toLowerCase().includes(find.toLowerCase()));
  const rows = [...found.filter((one) => one.origin !== kDefault), ...found.filter((one) => one.origin === kDefault)];
  if (rows.length === 0) return null;
  return (
    <Card title={t("settings.at-start")} aside={<span class="small muted">{t("settings.at-start.about")}</span>}><ul class="rows">{rows.map((one) => (
      <li key={one.name}><div class="grow"><span class="mono break">{one.name}</span></div>
        <div class="end"><span class="break">{one.value || "–"}</span><p class="small muted break">{one.origin === kDefault ? t("is-default") : t("set-in", { place: one.origin })}</p></div></li>
    ))}</ul></Card>
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
