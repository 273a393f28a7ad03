// Who signed in or tried to, and who may not try now.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, remove } from "../api";
import type { Block, BlockPage, SignIn, SignInPage } from "../../generated/api";
import { number } from "../format";
import { Search, Select } from "../forms";
import { Card, Empty, Failure, Icon, Shown, Time, toast, useLoad, type Tone } from "../parts";
import { Pager } from "../table";
import type { Place } from "../router";
import { Said } from "../said";
import { t, type Word } from "../words";
import { filter, pagingOf, queryOf, SortBy, sortedBy, usePaging } from "./lists";

type Which = "" | "accepted" | "failed";
const resultWords: Record<SignIn["result"], Word> = { accepted: "sign-in.accepted", needs_code: "sign-in.needs-code", rejected: "sign-in.rejected", disabled: "sign-in.disabled", throttled: "sign-in.throttled" };
const tones: Record<SignIn["result"], Tone> = { accepted: "ok", needs_code: "info", rejected: "warn", disabled: "warn", throttled: "bad" };

/** Ways to sign in whose name is a word; the others are SASL mechanisms. */
const ways: Readonly<Record<string, Word>> = { password: "sign-ins.by.password", code: "sign-ins.by.code", passkey: "sign-ins.by.passkey" };

const kOrders = ["last", "count"] as const;

export function SignIns({ place }: { place: Place }): JSX.Element {
  const paging = pagingOf(place);
  const { search = "", result = "" } = queryOf(place);
  const sort = sortedBy(place, kOrders);
  const loaded = useLoad(`sign-ins ${search} ${result} ${sort} ${paging.after}`, (signal) => get<SignInPage>(["sign-ins"], { limit: 25, search, result, sort, after: paging.after }, signal), 15);
  return (
    <>
      <Blocks />
      <Card label={t("sign-ins")}>
        <div class="tools"><Search label={t("search")} value={search} onInput={(value) => filter(place, { search: value })} />
          <Select<Which> label={t("result")} value={result as Which} onChange={(value) => filter(place, { result: value })} options={[["", t("sign-ins.all")], ["accepted", t("sign-ins.accepted")], ["failed", t("sign-ins.failed")]]} /><SortBy place={place} orders={kOrders} /></div>
        <Shown from={loaded}>{(page) => page.items.length === 0 ? <Empty icon="shield" title={t("sign-ins.none")}><p>{t("sign-ins.about")}</p></Empty>
        : <><ul class="rows">{page.items.map((one) => (
          <li key={`${one.first} ${one.last} ${one.login} ${one.protocol} ${one.mechanism} ${one.remote_address} ${one.reason}`}><Icon name={{ ok: "s-ok", info: "info", warn: "s-warn", bad: "s-bad", off: "s-off" }[tones[one.result]] as "s-ok"} tone={tones[one.result]} />
            <div class="grow"><b class="break">{one.login || "–"}</b> <span class="tag">{one.protocol.toUpperCase()}</span>{one.app_password && <> <span class="tag">{t("app-password")}</span></>}
              <p class="small muted break">{t(resultWords[one.result])}{one.reason && <> · <Said text={one.reason} /></>} · {ways[one.mechanism] ? t(ways[one.mechanism]!) : one.mechanism}{!one.tls && ` · ${t("sign-ins.no-tls")}`}</p>
              <p class="small muted break">{one.remote_address ?? t("audit.local")} · <Time at={one.last} />{one.count > 1 && ` · ${t("sign-ins.times", { n: one.count })}`}</p></div></li>
        ))}</ul><Pager count={page.items.length} next={page.next} back={paging.back} forward={paging.forward} /></>}</Shown></Card>
    </>
  );
}

function Blocks(): JSX.Element | null {
  const [error, setError] = useState<unknown>();
  const paging = usePaging();
  const loaded = useLoad(`blocks ${paging.after}`, (signal) => get<BlockPage>(["blocks"], { limit: 25, after: paging.after }, signal), 10);
  const lift = (one: Block): void => void remove(["blocks", one.id]).then(() => { setError(undefined); toast(t("blocks.lifted")); loaded.reload(); }, setError);
  const items = loaded.value?.items ?? [];
  if (items.length === 0 && error === undefined && !paging.after) return null;
  return (
    <Card title={t("blocks")}>
      {error !== undefined && <div class="pad"><Failure error={error} /></div>}
      <ul class="rows">{items.map((one) => (
        <li key={one.id}><Icon name="s-bad" tone="bad" /><div class="grow"><b class="break">{one.login ?? t("blocks.all-accounts")}</b> <span class="mono small">{one.network ?? t("blocks.all-networks")}</span>
          <p class="small muted">{t(one.of === "codes" ? "blocks.of-codes" : "blocks.of-passwords", { n: number(one.failures) })} · {t("blocks.until")} <Time at={one.until} /></p></div>
          <button type="button" class="btn s" aria-label={`${t("blocks.lift")}: ${one.login ?? one.network ?? ""}`} onClick={() => lift(one)}>{t("blocks.lift")}</button></li>
      ))}</ul>
      {(paging.back || loaded.value?.next) && <Pager count={items.length} next={loaded.value?.next ?? null} back={paging.back} forward={paging.forward} />}
    </Card>
  );
}
