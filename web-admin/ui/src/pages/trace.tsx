// Where is that mail? Search, and the life of one message in words.
import type { JSX } from "preact";
import { get } from "../api";
import { gather } from "../gather";
import type { Timeline, TracePage as Page } from "../../generated/api";
import { size } from "../format";
import { Copy, Search, Select } from "../forms";
import { Card, Empty, Exact, Failure, Head, Icon, Shown, State, Time, useLoad } from "../parts";
import { Pager, Table } from "../table";
import { href, type Place } from "../router";
import { isUser, tracePath } from "../session";
import { t } from "../words";
import { filter, pagingOf, Searching } from "./lists";
import { Buttons, useActions } from "./queue";
import { outcomeOf, recipientsOf, stepsOf, tell, text } from "./timeline";

type Row = Page["items"][number];

/** An address has an @ in the middle or at the start, a Message-ID stands in angle brackets; all else is a part of the subject. */
export function searchOf(find: string): { address?: string; message_id?: string; subject?: string } {
  if (!find) return {};
  if (/^<.*>$/.test(find)) return { message_id: find };
  if (/^[^\s@]*@[^\s@]+$/.test(find)) return { address: find };
  return { subject: find };
}

const kStates = ["delivered", "waiting", "failed"] as const;
const since = (days: string): string | undefined => (days ? new Date(Date.now() - Number(days) * 86_400_000).toISOString().replace(/\.\d+/, "") : undefined);
const people = (all: string[]): string => (all.length > 2 ? t("n.people", { n: all.length }) : all.join(", "));

export function TracePage({ place }: { place: Place }): JSX.Element {
  const find = place.query.get("find") ?? "";
  const days = ["1", "7", "30"].includes(place.query.get("days") ?? "") ? place.query.get("days")! : "";
  const state = kStates.find((one) => one === place.query.get("state")) ?? "";
  const paging = pagingOf(place);
  const loaded = useLoad<Page>(`trace ${find} ${days} ${state} ${paging.after}`, (signal, meanwhile) =>
    gather<Row>((after, limit) => get<Page>(tracePath(), { limit, after, from: since(days), state, ...searchOf(find) }, signal), paging.after, 25, meanwhile));
  return (
    <>
      <Head title={t("trace.title")} about={t("trace.about")} />
      <Card label={t("trace")}>
        <div class="tools">
          <Search label={t("trace.find")} value={find} onInput={(value) => filter(place, { find: value })} />
          <Select label={t("when")} value={days} onChange={(value) => filter(place, { days: value })} options={[["", t("when.any")], ["1", t("when.day")], ["7", t("when.week")], ["30", t("when.month")]]} />
          <Select label={t("state")} value={state} onChange={(value) => filter(place, { state: value })} options={[["", t("any-state")], ...kStates.map((one) => [one, t(`trace-state.${one}`)] as const)]} />
        </div>
        <Shown from={loaded}>{(page) => page.items.length === 0 && !page.next
          ? <Empty icon="route" title={find || days || state ? t("nothing-found") : t("trace.empty")}><p>{find || days || state ? t("trace.find.about") : t("trace.empty.about")}</p></Empty>
          : <><Table<Row> label={t("trace")} items={page.items} keyOf={(row) => row.id} columns={[
            { word: "time", class: "nowrap small", cell: (row) => <Time at={row.first.time ?? ""} as="short" /> },
            { word: "what-happened", cell: (row) => { const told = text(row.last, "event") === "accepted" ? outcomeOf([row.last]) : tell(row.last); return <State tone={told.tone} icon={told.icon}>{told.what}</State>; } },
            { word: "message", main: true, cell: (row) => <><a class="title break" href={href(["trace", row.id])}>{text(row.first, "subject") || <span class="muted">{t("no-subject")}</span>}</a><br /><span class="small muted break">{text(row.first, "from") || t("null-sender")} → {people(recipientsOf(row.first))}</span></> },
            { word: "size", class: "num small muted wide", cell: (row) => text(row.first, "size") && size(Number(text(row.first, "size"))) },
          ]} />
          {loaded.isLoading && page.next ? <Searching next={page.next} /> : <Pager count={page.items.length} next={page.next} back={paging.back} forward={paging.forward} />}</>}</Shown>
      </Card>
    </>
  );
}

export function TraceOfMessage({ id }: { id: string }): JSX.Element {
  const loaded = useLoad(`trace of ${id}`, (signal) => get<Timeline>([...tracePath(), id], { limit: 500 }, signal), 15);
  return <Shown from={loaded} rows={8}>{(timeline) => <Life timeline={timeline} reload={loaded.reload} />}</Shown>;
}

function Life({ timeline, reload }: { timeline: Timeline; reload: () => void }): JSX.Element {
  const { ask, now, dialogs, error } = useActions(reload);
  const first = timeline.items[0];
  const last = timeline.items.at(-1);
  if (!first || !last) return <Empty icon="route" title={t("nothing-found")} />;
  const end = outcomeOf(timeline.items);
  const next = text(last, "next_attempt");
  const subject = text(first, "subject");
  return (
    <>
      <Head title={end.what} tone={end.tone} icon={end.icon}
        about={<span class="break">{subject ? `${t("quoted", { text: subject })} · ` : ""}{text(first, "from") || t("null-sender")}</span>}
        crumbs={<><a href="/trace">{t("trace")}</a><span>/</span><Time at={first.time ?? ""} as="short" /></>}>
        {timeline.queued && !isUser() && <Buttons what={{ id: timeline.id }} name={subject || timeline.id} isHeld={text(last, "event") === "held" || (timeline.items.length === 1 && text(first, "held") !== "")} now={now} ask={ask} />}
      </Head>
      {error !== undefined && <Failure error={error} />}
      <div class="split">
        <Card title={t("what-happened")}><div class="pad"><ol class="tl">
          {timeline.items.flatMap((event) => stepsOf(event).map((told) => ({ event, told }))).map(({ event, told }, index) => {
            return <li key={index}><Time at={event.time ?? ""} as="short" /><Icon name={told.icon} tone={told.tone} /><div><h3>{told.what}</h3>{told.about && <p class="small muted break">{told.about}</p>}{told.exact && <Exact text={told.exact} />}</div></li>;
          })}
          {timeline.queued && next && <li class="future"><Time at={next} as="short" /><Icon name="s-next" tone="off" /><div><h3>{t("next-attempt")}</h3><p class="small"><Time at={next} /></p></div></li>}
        </ol></div></Card>
        <Card title={t("facts")}><div class="pad"><dl class="facts">
          <dt>{t("from")}</dt><dd>{text(first, "from") || t("null-sender")}</dd>
          <dt>{t("to")}</dt><dd>{recipientsOf(first).map((one) => <div key={one}>{one}</div>)}</dd>
          {subject && <><dt>{t("subject")}</dt><dd>{subject}</dd></>}
          {text(first, "size") && <><dt>{t("size")}</dt><dd>{size(Number(text(first, "size")))}</dd></>}
          {text(first, "message_id") && <><dt>Message-ID</dt><dd class="mono">{text(first, "message_id")}</dd></>}
          <dt>{t("trace-number")}</dt><dd class="mono">{timeline.id} <Copy text={timeline.id} label={`${t("copy")}: ${t("trace-number")}`} /></dd>
        </dl></div></Card>
      </div>
      {dialogs}
    </>
  );
}
