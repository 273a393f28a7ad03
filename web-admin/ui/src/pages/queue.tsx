// Why is mail waiting? By destination and by message, with what may be done about it.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, post } from "../api";
import { gather } from "../gather";
import type { DestinationPage, QueueChange, QueuePage as Mails } from "../../generated/api";
import { atLeast } from "../format";
import { BulkBar, type Errand, ErrandDialog, useChosen } from "../bulk";
import { Confirm, Dialog, Field, Search, Select } from "../forms";
import { holdWords } from "../hold";
import { Card, Empty, Exact, Failure, Head, Shown, State, Time, toast, useLoad } from "../parts";
import { Pager, Table } from "../table";
import { href, type Place } from "../router";
import { isServerAdmin } from "../session";
import { t } from "../words";
import { filter, pagingOf, queryOf, SortBy, sortedBy, sortingOf } from "./lists";
import { Menu } from "./menu";
import { reasonOf } from "./reason";

type Destination = DestinationPage["items"][number];
type Mail = Mails["items"][number];
type Action = QueueChange["action"];
const kTogether = ["retry", "hold", "release", "bounce", "remove"] as const;
// What is held protects the server; a way of its own for mail is its business too.
const kOfServerAdmins: readonly Action[] = ["hold", "release", "reroute"];
const isMine = (action: Action): boolean => isServerAdmin() || !kOfServerAdmins.includes(action);
type Ask = { action: Action; what: Partial<QueueChange>; name: string };

function Why({ reply, next }: { reply: string | null; next?: string | null }): JSX.Element {
  // WHY: after a failure a destination rests, and what comes meanwhile waits with the rest of its mail.
  if (!reply) return <State tone="info" icon="s-wait">{next ? t("waits-with-others") : t("not-tried")}</State>;
  const reason = reasonOf(reply);
  return <><State tone="warn" icon="s-wait">{reason ? t(reason) : t("reason.later")}</State><Exact text={reply} /></>;
}

const When = ({ at }: { at: string | null }): JSX.Element => (at ? <Time at={at} /> : <>{t("at-once")}</>);

export function QueuePage({ place }: { place: Place }): JSX.Element {
  const query = queryOf(place);
  const isByMail = query["view"] === "mail" || Boolean(query["state"]) || Boolean(query["domain"]) || !isServerAdmin();
  return isByMail ? <ByMail place={place} /> : <ByDestination place={place} />;
}

const Views = ({ mail }: { mail: boolean }): JSX.Element => (
  <div class="seg" role="group" aria-label={t("group")}>
    <a href="/queue" {...(mail ? {} : { "aria-current": "true" as const })}>{t("by-destination")}</a>
    <a href="/queue?view=mail" {...(mail ? { "aria-current": "true" as const } : {})}>{t("by-mail")}</a>
  </div>
);

export function useActions(reload: () => void): { ask: (what: Ask) => void; now: (what: Ask) => void; dialogs: JSX.Element; error: unknown } {
  const [asked, ask] = useState<Ask>();
  const [error, setError] = useState<unknown>();
  const run = async ({ action, what }: Ask, more: Partial<QueueChange> = {}): Promise<void> => {
    const { recipients } = await post<{ recipients: number }>(["queue"], { action, ...what, ...more });
    setError(undefined);
    toast(t(`did.${action}`, { n: recipients }));
    reload();
  };
  const close = (): void => ask(undefined);
  const dialogs = !asked ? <></> : asked.action === "reroute" ? <Reroute name={asked.name} close={close} run={(route) => run(asked, route ? { route } : {})} />
    : <Confirm title={t(`ask.${asked.action as "remove" | "bounce"}`, { name: asked.name })} text={t(`ask.${asked.action as "remove" | "bounce"}.about`)} action={t(`do.${asked.action}`)} tone="danger" close={close} run={() => run(asked)} />;
  return { ask, now: (what) => void run(what).catch(setError), dialogs, error };
}

function Reroute({ name, run, close }: { name: string; run: (route: string) => Promise<void>; close: () => void }): JSX.Element {
  const [route, setRoute] = useState("");
  const [error, setError] = useState<unknown>();
  const submit = (event: Event): void => {
    event.preventDefault();
    run(route.trim()).then(close, setError);
  };
  return (
    <Dialog title={t("ask.reroute", { name })} close={close}><form class="stack" onSubmit={submit}>
      <Field label={t("route")} name="route" value={route} onInput={setRoute} placeholder="smtp://relay.example.org:25" hint={t("reroute.hint")} autofocus />
      {error !== undefined && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary">{t("do.reroute")}</button></div>
    </form></Dialog>
  );
}

export function Buttons({ what, name, isHeld, now, ask }: { what: Partial<QueueChange>; name: string; isHeld: boolean; now: (what: Ask) => void; ask: (what: Ask) => void }): JSX.Element {
  const more: readonly (readonly [Action, string])[] = [["reroute", t("do.reroute")], ["bounce", t("do.bounce")], ["remove", t("do.remove")]];
  const choices = more.filter(([action]) => isMine(action));
  return (
    <span class="line actions">
      {isHeld ? isMine("release") && <button type="button" class="btn s" aria-label={`${t("do.release")}: ${name}`} onClick={() => now({ action: "release", what, name })}>{t("do.release")}</button>
        : <><button type="button" class="btn s" aria-label={`${t("do.retry")}: ${name}`} onClick={() => now({ action: "retry", what, name })}>{t("do.retry")}</button>
          {isMine("hold") && <button type="button" class="btn s" aria-label={`${t("do.hold")}: ${name}`} onClick={() => now({ action: "hold", what, name })}>{t("do.hold")}</button>}</>}
      <Menu text={t("more")} label={`${t("more")}: ${name}`} choices={choices} choose={(action) => ask({ action, what, name })} />
    </span>
  );
}

const kDestinationOrders = ["waiting", "next_attempt", "name"] as const;
const kMailOrders = ["oldest", "newest", "size"] as const;

/** How many destinations the whole queue has, whichever page of it is shown. */
export const destinationsOf = ({ items, destinations, next }: DestinationPage): number | string => destinations ?? atLeast(items.length, next !== null);

function ByDestination({ place }: { place: Place }): JSX.Element {
  const paging = pagingOf(place);
  const sort = sortedBy(place, kDestinationOrders);
  const loaded = useLoad(`destinations ${sort} ${paging.after}`, (signal) => get<DestinationPage>(["queue", "destinations"], { limit: 50, after: paging.after, sort }, signal), 10);
  const { ask, now, dialogs, error } = useActions(loaded.reload);
  const waiting = loaded.value?.recipients_waiting ?? 0;
  return (
    <>
      <Head title={loaded.value ? (waiting ? t("queue.title", { n: waiting }) : t("queue.none")) : t("queue")} about={t("n.destinations", { n: loaded.value ? destinationsOf(loaded.value) : 0 })}><span class="small muted live">{t("live")}</span></Head>
      {error !== undefined && <Failure error={error} />}
      <Card label={t("queue")}>
        <div class="tools"><Views mail={false} /><SortBy place={place} orders={kDestinationOrders} /></div>
        <Shown from={loaded}>{(page) => page.items.length === 0 ? <Empty icon="queue" title={t("queue.none")}><p>{t("queue.none.about")}</p></Empty>
          : <><Table<Destination> label={t("by-destination")} items={page.items} keyOf={(one) => one.destination} sorting={sortingOf(place, kDestinationOrders)} columns={[
            { word: "destination", order: "name", main: true, cell: (one) => <><a class="title break" href={href(["queue"], { view: "mail", domain: one.destination })}>{one.destination}</a><br /><span class="small muted">{t("n.recipients", { n: one.waiting })}{one.has_more && "+"}</span></> },
            { word: "why", class: "full", cell: (one) => <Why reply={one.last_reply} /> },
            { word: "next-attempt", order: "next_attempt", class: "small", cell: (one) => <When at={one.next_attempt} /> },
            { word: "actions", class: "act", cell: (one) => <Buttons what={{ domain: one.destination }} name={one.destination} isHeld={false} now={now} ask={ask} /> },
          ]} /><Pager count={page.items.length} next={page.next} back={paging.back} forward={paging.forward} /></>}</Shown>
      </Card>
      {dialogs}
    </>
  );
}

function ByMail({ place }: { place: Place }): JSX.Element {
  const query = queryOf(place);
  const { domain = "", state = "" } = query;
  const paging = pagingOf(place);
  const sort = sortedBy(place, kMailOrders);
  const loaded = useLoad<Mails>(`queue ${domain} ${state} ${sort} ${paging.after}`, (signal, meanwhile) =>
    gather<Mails["items"][number]>((after, limit) => get<Mails>(["queue"], { limit, after, domain, state, sort }, signal), paging.after, 25, meanwhile), 10);
  const { ask, now, dialogs, error } = useActions(loaded.reload);
  const chosen = useChosen(`${domain} ${state} ${sort} ${paging.after}`);
  const [errand, begin] = useState<Errand>();
  const all = (action: Action): void => begin({ title: t(`do.${action}`), names: [...chosen.keys], one: (id) => post(["queue"], { action, id }), ...(action === "bounce" || action === "remove" ? { ask: { text: t(`ask.${action}.about`), action: t(`do.${action}`), isCostly: true } } : {}) });
  return (
    <>
      <Head title={domain ? t("queue.of", { name: domain }) : state === "held" ? t("queue.held") : t("queue.mails")} about={t(`sort.${sort}`)} crumbs={<a href="/queue">{t("queue")}</a>}><span class="small muted live">{t("live")}</span></Head>
      {error !== undefined && <Failure error={error} />}
      <Card label={t("queue.mails")}>
        <div class="tools">{isServerAdmin() && <Views mail />}<Search label={t("queue.find")} value={domain} onInput={(value) => filter(place, { view: "mail", domain: value })} />
          <Select label={t("state")} value={state} options={[["", t("any-state")], ["queued", t("queue.queued")], ["deferred", t("queue.deferred")], ["held", t("on-hold")]]} onChange={(value) => filter(place, { view: "mail", state: value })} /><SortBy place={place} orders={kMailOrders} /></div>
        <Shown from={loaded}>{(page) => page.items.length === 0 ? <Empty icon="queue" title={t("queue.none")}><p>{t("queue.none.about")}</p></Empty>
          : <><BulkBar chosen={chosen}>{kTogether.filter(isMine).map((action) => <button key={action} type="button" class={`btn s ${action === "remove" ? "danger" : ""}`} onClick={() => all(action)}>{t(`do.${action}`)}</button>)}</BulkBar>
            <Table<Mail> label={t("queue.mails")} items={page.items} keyOf={(one) => one.id} chosen={chosen} columns={[
            { word: "message", main: true, cell: (one) => <><a class="title break" href={href(["trace", one.id])}>{one.from || t("null-sender")}</a><br /><span class="small muted break">→ {one.recipients.slice(0, 2).map((to) => to.address).join(", ")}{(one.recipients.length > 2 || one.has_more_recipients) && " …"}</span></> },
            { word: "why", class: "full", cell: (one) => one.state === "held" ? <><State tone="off">{t("on-hold")}</State>{one.hold && <p class="small muted break">{holdWords(one.hold)}</p>}</> : <Why reply={one.recipients[0]?.last_reply ?? null} next={one.recipients[0]?.next_attempt ?? null} /> },
            { word: "accepted", class: "small wide", cell: (one) => <Time at={one.accepted} as="short" /> },
            { word: "next-attempt", class: "small", cell: (one) => one.state === "held" ? "–" : <When at={one.recipients[0]?.next_attempt ?? null} /> },
            { word: "actions", class: "act", cell: (one) => <Buttons what={{ id: one.id }} name={one.from || one.id} isHeld={one.state === "held"} now={now} ask={ask} /> },
          ]} /><Pager count={page.items.length} next={page.next} back={paging.back} forward={paging.forward} /></>}</Shown>
      </Card>
      {dialogs}
      {errand && <ErrandDialog errand={errand} close={() => { begin(undefined); chosen.set(new Set()); loaded.reload(); }} />}
    </>
  );
}

