// What has changed in the DNS of a domain since the check before, and when: what was right and is wrong, and what was mended.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { DnsLastCheck } from "../../generated/api";
import { Card, Icon, Time } from "../parts";
import { t } from "../words";

type Change = DnsLastCheck["changes"][number];
const kDay = 86_400_000;
const kShown = 5;

/** Since yesterday at this time. */
export const isFresh = (change: Pick<Change, "time">, now: number): boolean => now - Date.parse(change.time) <= kDay;
const isMended = (change: Change): boolean => change.state === "ok";

export function DnsChanges({ last }: { last: DnsLastCheck }): JSX.Element | null {
  const [isAll, setAll] = useState(false);
  if (last.changes.length === 0) return null;
  const fresh = last.changes.filter((one) => isFresh(one, Date.now()));
  const shown = isAll ? last.changes : fresh.length ? fresh : last.changes.slice(0, kShown);
  return (
    <Card title={fresh.length ? t("dns.changes.fresh", { n: fresh.length }) : t("dns.changes.older")} aside={!isAll && shown.length < last.changes.length && <button type="button" class="btn s" onClick={() => setAll(true)}>{t("dns.changes.all")}</button>}>
      <ul class="rows">{shown.map((one) => (
        <li key={`${one.time} ${one.type} ${one.name} ${one.purpose}`}><Icon name={isMended(one) ? "s-ok" : "s-bad"} tone={isMended(one) ? "ok" : "bad"} />
          <div class="grow"><b>{t(`purpose.${one.purpose}`)}</b> <span class="tag">{one.type}</span><p class="small mono muted break">{one.name}</p>
            <p class="small">{t("dns.changes.became", { before: t(`state.${one.before}`), now: t(`state.${one.state}`) })} · <Time at={one.time} /></p></div></li>
      ))}</ul>
    </Card>
  );
}
