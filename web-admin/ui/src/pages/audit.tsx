// What admins did: who, when, what, and what was different before and after.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "../api";
import { gather } from "../gather";
import type { Audit, AuditPage, AuditValues } from "../../generated/api";
import { Search } from "../forms";
import { Card, Empty, Icon, Shown, Time, useLoad } from "../parts";
import { Pager } from "../table";
import type { Place } from "../router";
import { fill, language, locale, t, type Texts, wordFile } from "../words";
import { filter, pagingOf, queryOf } from "./lists";

const textOf = (value: unknown): string => (value === undefined || value === null ? "–" : typeof value === "string" ? value : JSON.stringify(value));

/** Members that differ, in the order of what came after. */
export function differences(before: AuditValues | undefined, after: AuditValues | undefined): [string, string, string][] {
  const names = [...new Set([...Object.keys(after ?? {}), ...Object.keys(before ?? {})])];
  return names.map((name) => [name, textOf(before?.[name]), textOf(after?.[name])]);
}

export function AuditList({ place }: { place: Place }): JSX.Element {
  const paging = pagingOf(place);
  const search = queryOf(place)["search"] ?? "";
  const deeds = useDeeds();
  const loaded = useLoad<AuditPage>(`audit ${search} ${paging.after}`, (signal, meanwhile) =>
    gather<AuditPage["items"][number]>((after, limit) => get<AuditPage>(["audit"], { limit, search, after }, signal), paging.after, 25, meanwhile), 30);
  return (
    <>
      <Card label={t("audit")}><div class="tools"><Search label={t("search")} value={search} onInput={(value) => filter(place, { search: value })} /></div><Shown from={loaded}>{(page) => page.items.length === 0 && !page.next ? <Empty icon="shield" title={t("audit.none")} />
        : <><ul class="rows">{page.items.map((one) => <Entry key={one.number} one={one} deeds={deeds} />)}</ul><Pager count={page.items.length} next={page.next} back={paging.back} forward={paging.forward} /></>}</Shown></Card>
    </>
  );
}

/** What a POST has made, by its name; of other requests the target says it. */
export function madeBy(one: Audit): string {
  const after = one.method === "POST" ? one.after ?? {} : {};
  return String(after["address"] ?? after["name"] ?? after["hostname"] ?? "");
}

/** What was done, in words; undefined when there are none for it. */
export function deedOf(one: Audit, deeds: Texts, inLocale: string): string | undefined {
  const path = one.target.replace("/api/v1/", "").split("?")[0]!.split("/");
  // What stands in the body can be told better than by its name.
  const action = deeds[`${one.method} ${path.join("/")} ${String(one.request?.["action"] ?? "")}`];
  if (action) return action;
  const found = Object.keys(deeds).find((key) => {
    const [method, pattern] = key.split(" ") as [string, string];
    const parts = pattern.split("/");
    return method === one.method && parts.length === path.length && parts.every((part, i) => part === "*" || part === path[i]);
  });
  if (!found) return undefined;
  const at = found.split(" ")[1]!.split("/").indexOf("*");
  const name = at >= 0 ? decoded(path[at]!) : madeBy(one) || String(one.request?.["action"] ?? "");
  return fill(deeds[found]!, { name }, inLocale);
}

function useDeeds(): Texts {
  const now = language();
  const [deeds, set] = useState<Texts>({});
  useEffect(() => {
    void wordFile<{ deeds: Texts }>(now, "deeds").then((loaded) => set(loaded.deeds));
  }, [now]);
  return deeds;
}

function Entry({ one, deeds }: { one: Audit; deeds: Texts }): JSX.Element {
  const deed = deedOf(one, deeds, locale());
  const isRefused = one.status >= 400;
  const changes = differences(one.before, one.after);
  const told = Object.entries(one.request ?? {});
  return (
    <li><Icon name={isRefused ? "s-off" : "s-ok"} tone={isRefused ? "off" : "ok"} /><div class="grow">
      <b class="break">{deed ?? (one.method === "GET" ? t("audit.looked", { target: decoded(one.target) }) : `${one.method} ${decoded(one.target)}`)}</b>{isRefused && <> <span class="tag">{t("audit.refused")} {one.status}</span></>}
      <p class="small muted break">{one.who} · <Time at={one.time} />{one.from ? ` · ${one.from}` : ` · ${t("audit.local")}`}</p>
      <details><summary>{t("audit.changes")}</summary><p class="small mono muted break">{one.method} {decoded(one.target)}</p><dl class="small">
        {told.map(([name, value]) => <div key={`request ${name}`}><dt class="mono">{name}</dt><dd class="break">{textOf(value)}</dd></div>)}
        {changes.map(([name, before, after]) => <div key={name}><dt class="mono">{name}</dt><dd class="break">{before} → {after}</dd></div>)}
      </dl></details>
    </div></li>
  );
}

function decoded(target: string): string {
  try {
    return decodeURIComponent(target.replace("/api/v1/", ""));
  } catch {
    return target;
  }
}
