// What the list pages share: the place's query as state, and paging by cursor with the way back in it.
import type { JSX } from "preact";
import { shortTime } from "../format";
import { timeOfId } from "../gather";
import { go, href, type Place } from "../router";
import { t } from "../words";

export function queryOf(place: Place): Record<string, string> {
  return Object.fromEntries(place.query);
}

/** Changes the filters and goes to the first page; typing does not fill the history. */
export function filter(place: Place, changes: Record<string, string>): void {
  go(href(place.segments, { ...queryOf(place), ...changes, after: "", trail: "" }), "replace");
}

/** The pages before this one are in "trail", separated by commas; a cursor has none. */
export function pagingOf(place: Place): { after: string | undefined; back: (() => void) | undefined; forward: (cursor: string) => void } {
  const query = queryOf(place);
  const after = query["after"];
  const trail = query["trail"]?.split(",") ?? [];
  return {
    after,
    back: after ? () => go(href(place.segments, { ...query, after: trail.at(-1) ?? "", trail: trail.slice(0, -1).join(",") })) : undefined,
    forward: (cursor) => go(href(place.segments, { ...query, after: cursor, trail: after ? [...trail, after].join(",") : "" })),
  };
}

/** A search that is still under way, and how far back it has come. */
export function Searching({ next }: { next: string }): JSX.Element {
  const time = timeOfId(next);
  return <div class="pager" role="status"><span>{t("searching", { time: time ? shortTime(time.toISOString()) : "…" })}</span></div>;
}
