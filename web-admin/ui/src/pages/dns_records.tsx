// DNS records to publish, each with what a check found.
import type { JSX } from "preact";
import type { DnsCheck, DnsLastCheck, DnsRecord } from "../../generated/api";
import type { IconName } from "../icons";
import { Copy } from "../forms";
import { Icon, type Tone } from "../parts";
import { useSaid } from "../said";
import { t } from "../words";

type Judged = DnsCheck["items"][number];
const tones: Record<Judged["state"], Tone> = { ok: "ok", missing: "bad", wrong: "bad", unknown: "off" };
/** A missing record that is optional is no fault. */
export const toneOf = (record: Pick<Judged, "state" | "importance">): Tone => (record.state === "missing" && record.importance !== "required" ? (record.importance === "optional" ? "off" : "warn") : tones[record.state]);

function iconOf(judged: Pick<Judged, "state" | "importance"> | undefined): IconName {
  if (!judged || judged.state === "unknown") return "s-unknown";
  if (judged.state === "ok") return "s-ok";
  return ({ bad: "s-bad", warn: "s-warn" } as Partial<Record<Tone, IconName>>)[toneOf(judged)] ?? "s-off";
}

export function Record({ record }: { record: Pick<DnsRecord, "type" | "name" | "value"> }): JSX.Element {
  return (
    <dl class="record">
      <div><dt>{t("type")}</dt><dd class="mono">{record.type}</dd></div>
      <div><dt>{t("name")}</dt><dd><span class="mono">{record.name}</span><Copy text={record.name} label={`${t("copy")}: ${t("name")} ${record.name}`} /></dd></div>
      <div><dt>{t("value")}</dt><dd><span class="mono">{record.value}</span><Copy text={record.value} label={`${t("copy")}: ${record.type} ${record.name}`} /></dd></div>
    </dl>
  );
}

/** How a record was found last; undefined when it was not looked for. */
export const knownOf = (record: DnsRecord, last: DnsLastCheck | null | undefined): Pick<Judged, "state" | "importance"> | undefined => {
  const found = last?.states.find((one) => one.type === record.type && one.name === record.name && one.purpose === record.purpose);
  return found && { state: found.state, importance: record.importance };
};

/** With `isOpen` the records that are not right show what to publish. */
export function Records({ records, check, last, isOpen = false }: { records: readonly DnsRecord[]; check: DnsCheck | undefined; last?: DnsLastCheck | null; isOpen?: boolean }): JSX.Element {
  const said = useSaid();
  return (
    <ul class="rows">{records.map((one) => {
      const judged = check?.items.find((other) => other.zone_line === one.zone_line);
      const state = judged ?? knownOf(one, last);
      return (
        <li key={one.zone_line}><Icon name={iconOf(state)} tone={state ? toneOf(state) : "off"} label={state ? t(`state.${state.state}`) : t("not-checked")} />
          <div class="grow"><b>{t(`purpose.${one.purpose}`)}</b> <span class="tag">{one.type}</span> {one.importance !== "required" && <span class="small muted">{t(`importance.${one.importance}`)}</span>}<p class="small mono muted break">{one.name}</p><p class="small muted">{said(judged && judged.state !== "ok" ? judged.meaning : one.why)}</p>
            <details open={isOpen && one.importance === "required" && judged?.state !== "ok"}><summary>{t("show-record")}</summary><Record record={one} />{judged && judged.found.length > 0 && judged.state !== "ok" && <p class="small muted break">{t("found")}: <span class="mono">{judged.found.join(" · ")}</span></p>}</details></div></li>
      );
    })}</ul>
  );
}
