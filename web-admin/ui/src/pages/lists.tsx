// What the list pages share: the place's query as state, and paging by cursor with the way back in it.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { shortTime } from "../format";
import { Select } from "../forms";
import { type Sorting } from "../table";
import { timeOfId } from "../gather";
import { go, href, type Place } from "../router";
import { t, type Word } from "../words";

export function queryOf(place: Place): Record<string, string> {
  return Object.fromEntries(place.query);
}

/** Changes the filters and goes to the first page; typing does not fill the history. */
export function filter(place: Place, changes: Record<string, string>): void {
  go(href(place.segments, { ...queryOf(place), ...changes, after: "", trail: "" }), "replace");
}

type Order<W extends Word = Word> = W extends `sort.${infer Name}` ? Name : never;
const kUp: readonly string[] = ["address", "name", "next_attempt", "oldest"];

/** How the list is sorted: the first of its orders unless the place says another one. */
export function sortedBy<T extends Order>(place: Place, orders: readonly T[]): T {
  return orders.find((one) => one === place.query.get("sort")) ?? orders[0]!;
}

const inOrder = (order: string, orders: readonly string[]): Record<string, string> => ({ sort: order === orders[0] ? "" : order });

/** The same choice at the heads of the columns. */
export function sortingOf(place: Place, orders: readonly Order[]): Sorting {
  const order = sortedBy(place, orders);
  return { order, isUp: kUp.includes(order), to: (other) => href(place.segments, { ...queryOf(place), ...inOrder(other, orders), after: "", trail: "" }) };
}

export function SortBy({ place, orders }: { place: Place; orders: readonly Order[] }): JSX.Element {
  return <Select label={t("sort")} value={sortedBy(place, orders)} onChange={(order) => filter(place, inOrder(order, orders))} options={orders.map((one) => [one, t(`sort.${one}`)] as const)} />;
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

/** The same of a list that shares its page with another one: its place is not in the address. */
export function usePaging(): { after: string | undefined; back: (() => void) | undefined; forward: (cursor: string) => void } {
  const [trail, setTrail] = useState<readonly string[]>([]);
  return { after: trail.at(-1), back: trail.length ? () => setTrail(trail.slice(0, -1)) : undefined, forward: (cursor) => setTrail([...trail, cursor]) };
}

/** A search that is still under way, and how far back it has come. */
export function Searching({ next }: { next: string }): JSX.Element {
  const time = timeOfId(next);
  return <div class="pager" role="status"><span>{t("searching", { time: time ? shortTime(time.toISOString()) : "…" })}</span></div>;
}
