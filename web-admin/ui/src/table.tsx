// Lists: their heads, rows that can be chosen and gone along by keys, and paging.
import type { ComponentChildren, JSX } from "preact";
import type { Chosen } from "./bulk";
import { Icon } from "./parts";
import { t, type Word } from "./words";

/** `order`: what the list is sorted by when the head of the column is chosen. */
export interface Column<T> { word: Word; cell: (item: T) => ComponentChildren; class?: string; main?: boolean; order?: string }
export interface Sorting { order: string; isUp: boolean; to: (order: string) => string }
/** A list; on phones each row is a card whose values carry their labels. With `chosen` rows can be selected. */
export function Table<T>({ label, items, columns, keyOf, chosen, sorting }: { label: string; items: readonly T[]; columns: readonly Column<T>[]; keyOf: (item: T) => string; chosen?: Chosen; sorting?: Sorting }): JSX.Element {
  return (
    <table class="table" role="table" aria-label={label}>
      <thead role="rowgroup"><tr role="row">{chosen && <th role="columnheader" scope="col" class="sel"><ChooseAll keys={items.map(keyOf)} chosen={chosen} /></th>}{columns.map((column) => <ColumnHead key={column.word} column={column} sorting={sorting} />)}</tr></thead>
      <tbody role="rowgroup" onKeyDown={alongColumn}>{items.map((item) => (
        <tr key={keyOf(item)} role="row" class={`${chosen ? "has-sel" : ""} ${chosen?.keys.has(keyOf(item)) ? "on" : ""}`}>{chosen && <td role="cell" class="sel"><Choose name={keyOf(item)} chosen={chosen} /></td>}{columns.map((column) => <td key={column.word} role="cell" class={`${column.main ? "main-cell" : ""} ${column.class ?? ""}`} {...(column.main || column.class?.includes("act") ? {} : { "data-label": t(column.word) })}>{column.cell(item)}</td>)}</tr>
      ))}</tbody>
    </table>
  );
}

function ColumnHead<T>({ column, sorting }: { column: Column<T>; sorting: Sorting | undefined }): JSX.Element {
  const isThis = column.order !== undefined && sorting?.order === column.order;
  const text = column.class?.includes("act") ? <span class="sr">{t(column.word)}</span> : <>{t(column.word)}{isThis && <span aria-hidden="true"> {sorting.isUp ? "↑" : "↓"}</span>}</>;
  return (
    <th role="columnheader" scope="col" class={column.class ?? ""} {...(isThis ? { "aria-sort": sorting.isUp ? "ascending" as const : "descending" as const } : {})}>
      {column.order !== undefined && sorting ? <a href={sorting.to(column.order)}>{text}</a> : text}
    </th>
  );
}

/** Arrows go up and down a column; Enter opens and Space selects by themselves. */
function alongColumn(event: KeyboardEvent): void {
  const from = event.target as HTMLElement;
  const cell = from.closest("td");
  const row = cell?.closest("tr");
  if (!cell || !row || from.tagName === "SELECT" || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
  const other = (event.key === "ArrowDown" ? row.nextElementSibling : row.previousElementSibling) as HTMLTableRowElement | null;
  const to = other?.cells[cell.cellIndex]?.querySelector<HTMLElement>("a, button, input");
  if (!to) return;
  event.preventDefault();
  to.focus();
}

function Choose({ name, chosen }: { name: string; chosen: Chosen }): JSX.Element {
  const change = (isOn: boolean): void => {
    const keys = new Set(chosen.keys);
    if (isOn) keys.add(name);
    else keys.delete(name);
    chosen.set(keys);
  };
  return <input type="checkbox" class="pick" aria-label={`${t("choose")}: ${name}`} checked={chosen.keys.has(name)} onChange={(event) => change(event.currentTarget.checked)} />;
}

function ChooseAll({ keys, chosen }: { keys: readonly string[]; chosen: Chosen }): JSX.Element {
  const all = keys.length > 0 && keys.every((key) => chosen.keys.has(key));
  return <input type="checkbox" class="pick" aria-label={t("choose-all")} checked={all} onChange={() => chosen.set(new Set(all ? [] : keys))} />;
}

/** Paging with cursors: what came before is remembered in the query as "trail". */
export function Pager({ count, next, back, forward }: { count: number; next: string | null; back?: (() => void) | undefined; forward: (cursor: string) => void }): JSX.Element | null {
  if (!back && !next) return <div class="pager"><span>{t("pager.all", { n: count })}</span></div>;
  return (
    <div class="pager"><span>{t("pager.page", { n: count })}</span><span class="end">
      <button type="button" class="btn s" disabled={!back} onClick={back}><Icon name="left" />{t("back")}</button>
      <button type="button" class="btn s" disabled={!next} onClick={() => next && forward(next)}>{t("next")}<Icon name="right" /></button>
    </span></div>
  );
}
