// The log as it is written, filtered; a line leads to the trace of its message. What comes is asked for every two seconds while the page
// is seen, and at most kMost lines are kept.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { get, type Parameters } from "../api";
import type { LogLines } from "../../generated/api";
import { Search, Select } from "../forms";
import { Card, Empty, Failure, Head, Icon, Loading, type Tone } from "../parts";
import { href, type Place } from "../router";
import { exactTime, shortTime } from "../format";
import { t, type Word } from "../words";
import { filter, queryOf } from "./lists";

type Line = LogLines["items"][number];
const kMost = 1000;
const kFirst = 200;
const kEvery = 2000;
const levels = [["", "logs.any-level"], ["info", "logs.level.info"], ["warning", "logs.level.warning"], ["error", "logs.level.error"]] as const;
const protocols = ["", "smtp", "queue", "login", "imap", "pop3", "http", "tls", "acme", "dns", "store", "alert", "server"] as const;
/** Parts whose name is a word; the others are protocols. */
const parts: Readonly<Record<string, Word>> = { "": "logs.any-part", queue: "queue", login: "logs.part.login", store: "logs.part.store", alert: "alerts", server: "server" };
const tones: Record<Line["line"]["level"], Tone> = { debug: "off", info: "info", warning: "warn", error: "bad" };

/** The fields of a line that are its own, as they stand. */
export function fieldsOf(line: Record<string, unknown>): string {
  const own = Object.entries(line).filter(([name]) => name !== "time" && name !== "level" && name !== "event");
  return own.map(([name, value]) => `${name}=${typeof value === "string" && /[\s"=]|^$/.test(value) ? JSON.stringify(value) : String(value)}`).join(" ");
}

/** What came, behind what was there; the newest `kMost`. */
export const joined = (before: readonly Line[], came: readonly Line[]): Line[] => [...before, ...came].slice(-kMost);

function useLines(parameters: Parameters, isFollowing: boolean): { lines: readonly Line[] | undefined; error: unknown } {
  const key = JSON.stringify(parameters);
  const [lines, setLines] = useState<readonly Line[]>();
  const [error, setError] = useState<unknown>();
  const cursor = useRef("");
  useEffect(() => {
    cursor.current = "";
    setLines(undefined);
  }, [key]);
  useEffect(() => {
    const abort = new AbortController();
    let timer = 0;
    const ask = async (): Promise<void> => {
      const isFirst = cursor.current === "";
      let wasFull = false;
      try {
        if (isFirst || document.visibilityState === "visible") {
          const page = await get<LogLines>(["logs"], { ...parameters, ...(isFirst ? { limit: kFirst } : { limit: kMost, after: cursor.current }) }, abort.signal);
          if (abort.signal.aborted) return;
          cursor.current = page.follow;
          wasFull = !isFirst && page.items.length === kMost;
          if (isFirst) setLines(page.items);
          else if (page.items.length) setLines((before) => joined(before ?? [], page.items));
          setError(undefined);
        }
      } catch (failure) {
        if (abort.signal.aborted) return;
        setError(failure);
      }
      if (isFollowing) timer = window.setTimeout(() => void ask(), wasFull ? 0 : kEvery);
    };
    if (isFollowing || cursor.current === "") void ask();
    return () => { abort.abort(); clearTimeout(timer); };
  }, [key, isFollowing]);
  return { lines, error };
}

const Row = ({ item: { line, trace } }: { item: Line }): JSX.Element => (
  <li>
    <Icon name={line.level === "error" ? "s-bad" : line.level === "warning" ? "s-warn" : "info"} tone={tones[line.level]} label={line.level} />
    <div class="grow"><b class="mono break">{line.event}</b><p class="small muted mono break">{fieldsOf(line)}</p></div>
    <div class="end small muted"><time dateTime={line.time} title={exactTime(line.time)}>{shortTime(line.time)}</time>{trace && <><br /><a href={href(["trace", trace])}>{t("logs.trace")}</a></>}</div>
  </li>
);

export function LogsPage({ place }: { place: Place }): JSX.Element {
  const { level = "", protocol = "", text = "", id = "" } = queryOf(place);
  const [isFollowing, follow] = useState(true);
  const { lines, error } = useLines({ level, protocol, text, id }, isFollowing);
  const isFiltered = Boolean(level || protocol || text || id);
  return (
    <>
      <Head title={t("logs")} about={t("logs.about")}>
        {isFollowing && <span class="small muted live">{t("live")}</span>}
        <button type="button" class="btn" aria-pressed={isFollowing} onClick={() => follow(!isFollowing)}><Icon name={isFollowing ? "s-run" : "s-wait"} />{t(isFollowing ? "logs.pause" : "logs.follow")}</button>
      </Head>
      {error !== undefined && <Failure error={error} />}
      <Card label={t("logs")}>
        <div class="tools">
          <Search label={t("logs.find")} value={text} onInput={(value) => filter(place, { text: value })} />
          <Select label={t("logs.level")} value={level} options={levels.map(([one, word]) => [one, t(word)] as const)} onChange={(value) => filter(place, { level: value })} />
          <Select label={t("logs.part")} value={protocol} options={protocols.map((one) => [one, parts[one] ? t(parts[one]) : one.toUpperCase()] as const)} onChange={(value) => filter(place, { protocol: value })} />
        </div>
        {lines === undefined ? <Loading /> : lines.length === 0 ? <Empty icon="log" title={t(isFiltered ? "nothing-found" : "logs.none")}><p>{t(isFiltered ? "logs.find.about" : "logs.none.about")}</p></Empty>
          : <ul class="rows" aria-label={t("logs")}>{lines.slice().reverse().map((one) => <Row key={one.number} item={one} />)}</ul>}
      </Card>
    </>
  );
}
