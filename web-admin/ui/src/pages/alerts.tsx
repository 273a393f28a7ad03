// What needs an admin, now and before; the server tells it in words, with what to do.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, post } from "../api";
import type { Alert, AlertList, AlertTest } from "../../generated/api";
import { Card, Empty, Exact, Failure, Head, Icon, Shown, State, Time, useLoad } from "../parts";
import { Pager } from "../table";
import { href, type Place } from "../router";
import { language, t } from "../words";
import { pagingOf } from "./lists";

/** Where it is mended. */
function placeOf(alert: Alert): string {
  switch (alert.kind) {
    case "certificate": return href(["security", "certificates"]);
    case "queue": return href(["queue"]);
    case "destination": return alert.subject === "*" ? href(["queue"]) : href(["queue"], { view: "mail", domain: alert.subject });
    case "hold": return href(["security"]);
    case "logins": return href(["logs"], { protocol: "login" });
    case "limit": return href(["domains", alert.subject.slice(alert.subject.lastIndexOf("@") + 1), "settings"]);
    case "disk": return href(["mailboxes"]);
    case "shared_address": return href(["about"]);
    default: return href(["delivery"]);
  }
}

function Open({ alert }: { alert: Alert }): JSX.Element {
  return (
    <li class="stack">
      <Icon name="s-warn" tone="warn" label={t("alert.open")} />
      <div class="grow"><b class="break">{alert.title}</b><p class="break">{alert.what}</p><p class="small muted break">{alert.action}</p>
        {alert.webhook_error && <Exact text={alert.webhook_error} />}</div>
      <div class="end small muted"><Time at={alert.opened} /><br /><a href={placeOf(alert)}>{t("alert.mend")}</a></div>
    </li>
  );
}

function Past({ alert }: { alert: Alert }): JSX.Element {
  return (
    <li class="stack">
      <Icon name="s-ok" tone="ok" label={t("alert.past")} />
      <div class="grow"><span class="break">{alert.title}</span><p class="small muted break">{alert.over}</p></div>
      <div class="end small muted"><Time at={alert.opened} as="short" />{alert.closed && <> – <Time at={alert.closed} as="short" /></>}</div>
    </li>
  );
}

function Test({ close }: { close: () => void }): JSX.Element {
  const tested = useLoad("alert test", () => post<AlertTest>(["alerts", "test"]));
  return (
    <Card title={t("alert.test")} aside={<button type="button" class="btn quiet s" onClick={close}>{t("done")}</button>}>
      <Shown from={tested} rows={2}>{(test) => test.items.length === 0 ? <div class="pad">{t("alert.nobody")}</div>
        : <ul class="rows">{test.items.map((one) => (
          <li class="stack" key={one.channel + one.target}><Icon name={one.delivered ? "s-ok" : "s-bad"} tone={one.delivered ? "ok" : "bad"} label={t(one.delivered ? "alert.told" : "alert.not-told")} />
            <div class="grow"><span class="break">{one.target}</span><p class="small muted">{t(one.delivered ? "alert.told" : "alert.not-told")}</p></div><span class="end small muted break">{one.outcome}</span></li>
        ))}</ul>}</Shown>
    </Card>
  );
}

export function AlertsPage({ place }: { place: Place }): JSX.Element {
  const paging = pagingOf(place);
  const words = { language: language() };
  const open = useLoad(`alerts open ${words.language}`, (signal) => get<AlertList>(["alerts"], { ...words, state: "open", limit: 200 }, signal), 30);
  const past = useLoad(`alerts past ${words.language} ${paging.after}`, (signal) => get<AlertList>(["alerts"], { ...words, state: "past", limit: 25, after: paging.after }, signal));
  const [isTesting, setTesting] = useState(false);
  const count = open.value?.items.length ?? 0;
  return (
    <>
      <Head title={open.value ? (count ? t("alerts.title", { n: count }) : t("alerts.none")) : t("alerts")} about={t("alerts.about")} {...(open.value ? { tone: count ? "warn" as const : "ok" as const } : {})}>
        <a class="btn" href={href(["settings"], { find: "alerts." })}><Icon name="sliders" />{t("alerts.settings")}</a>
        <button type="button" class="btn" disabled={isTesting} onClick={() => setTesting(true)}><Icon name="send" />{t("alert.test")}</button>
      </Head>
      {isTesting && <Test close={() => setTesting(false)} />}
      {open.error !== undefined && !open.value && <Failure error={open.error} retry={open.reload} />}
      {count > 0 && <Card title={t("alerts.now")}><ul class="rows">{open.value!.items.map((one) => <Open key={one.id} alert={one} />)}</ul></Card>}
      <Card title={t("alerts.past")}><Shown from={past}>{(page) => page.items.length === 0 ? <Empty icon="s-ok" title={t("alerts.no-past")}><p>{t("alerts.no-past.about")}</p></Empty>
        : <><ul class="rows">{page.items.map((one) => <Past key={one.id} alert={one} />)}</ul><Pager count={page.items.length} next={page.next} back={paging.back} forward={paging.forward} /></>}</Shown></Card>
      {count === 0 && open.value && past.value?.items.length === 0 && <State tone="ok">{t("alerts.watching")}</State>}
    </>
  );
}
