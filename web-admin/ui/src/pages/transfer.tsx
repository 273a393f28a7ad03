// Lists as CSV files: all that matches goes out, and rows of a file come in, each by itself, after a look at what they are.
import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { get, type Parameters, post } from "../api";
import { type Errand, ErrandDialog } from "../bulk";
import { formatCsv, parseCsv, recordsOf, textOf } from "../csv";
import { parseSize } from "../format";
import { Dialog } from "../forms";
import { Failure, Icon, toast } from "../parts";
import { t } from "../words";

type Row = Record<string, string>;
export interface Kind<T> {
  path: string;          // of the resource
  columns: readonly string[];
  fill: (item: T) => readonly string[];
  /** The body of a POST; undefined when the row cannot be meant. */
  body: (row: Row) => Record<string, unknown> | undefined;
}
interface Page<T> { items: T[]; next: string | null }

const kPage = 1000;
const kMostRows = 100_000;  // more than that no browser shows well, and the command line does

async function everything<T>(path: string, parameters: Parameters): Promise<T[]> {
  const all: T[] = [];
  let after: string | undefined;
  do {
    const page: Page<T> = await get<Page<T>>([path], { ...parameters, limit: kPage, after });
    all.push(...page.items);
    after = page.next ?? undefined;
  } while (after && all.length < kMostRows);
  return all;
}

export function save(name: string, type: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

export function Transfer<T>({ kind, parameters, done }: { kind: Kind<T>; parameters: Parameters; done: () => void }): JSX.Element {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [isOpen, open] = useState(false);
  const write = (): void => {
    setBusy(true);
    setError(undefined);
    everything<T>(kind.path, parameters).then((items) => {
      save(`${kind.path}.csv`, "text/csv", formatCsv([kind.columns, ...items.map(kind.fill)]));
      toast(t("csv.out.done", { n: items.length }));
    }).catch(setError).finally(() => setBusy(false));
  };
  return (
    <>
      <button type="button" class="btn" disabled={isBusy} onClick={write}><Icon name="down" />{isBusy ? t("loading") : t("csv.out")}</button>
      <button type="button" class="btn" onClick={() => open(true)}><Icon name="up" />{t("csv.in")}</button>
      {error !== undefined && <Failure error={error} retry={write} />}
      {isOpen && <Import kind={kind as Kind<unknown>} close={() => open(false)} done={done} />}
    </>
  );
}

/** Rows that can be meant by their first column, and the numbers of the lines that cannot: of two for the same the later. */
export function readRows(text: string, kind: Pick<Kind<unknown>, "columns" | "body">): { bodies: Map<string, Record<string, unknown>>; bad: number[] } | undefined {
  const records = recordsOf(parseCsv(text), kind.columns[0]!);
  if (!records) return undefined;
  const bodies = new Map<string, Record<string, unknown>>();
  const seen = new Set<string>();
  const bad: number[] = [];
  for (const { line, row } of records) {
    const name = row[kind.columns[0]!]!;
    const body = kind.body(row);
    if (body && !seen.has(name.toLowerCase())) bodies.set(name, body);
    else bad.push(line);
    seen.add(name.toLowerCase());
  }
  return { bodies, bad };
}

function Import({ kind, close, done }: { kind: Kind<unknown>; close: () => void; done: () => void }): JSX.Element {
  const id = useId();
  const [read, setRead] = useState<ReturnType<typeof readRows> | null>(null);
  const [errand, begin] = useState<Errand>();
  const choose = (file: File | undefined): void => void file?.arrayBuffer().then((bytes) => setRead(readRows(textOf(bytes), kind)));
  const go = (event: Event): void => {
    event.preventDefault();
    const bodies = read?.bodies;
    if (bodies?.size) begin({ title: t("csv.in"), names: [...bodies.keys()], one: (name) => post([kind.path], bodies.get(name)) });
  };
  if (errand) return <ErrandDialog errand={errand} close={() => { close(); done(); }} />;
  return (
    <Dialog title={t("csv.in")} close={close}><form class="stack" onSubmit={go}>
      <p class="small muted">{t("csv.in.about")}</p>
      <pre class="raw" tabIndex={0}>{kind.columns.join(",")}</pre>
      <div class="field"><label for={id}>{t("csv.file")}</label><input class="input" id={id} type="file" accept=".csv,text/csv" onChange={(event) => choose(event.currentTarget.files?.[0])} /></div>
      {read === undefined && <p class="err"><Icon name="s-bad" tone="bad" /><span>{t("csv.no-column", { name: kind.columns[0]! })}</span></p>}
      {read && <p aria-live="polite">{t("csv.rows", { n: read.bodies.size })}</p>}
      {read && read.bad.length > 0 && <p class="err"><Icon name="s-warn" tone="warn" /><span>{t("csv.bad-rows", { n: read.bad.length, lines: read.bad.slice(0, 8).join(", ") + (read.bad.length > 8 ? " …" : "") })}</span></p>}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary" disabled={!read?.bodies.size}>{t("csv.begin")}</button></div>
    </form></Dialog>
  );
}

/** What a field says, as spreadsheets of three languages write it; undefined when it is neither. */
export function yesOrNo(text = ""): boolean | undefined {
  if (/^(1|true|yes|ja|wahr|sann|x)$/i.test(text)) return true;
  return /^(0|false|no|nein|nei|falsch|usann|)$/i.test(text) ? false : undefined;
}
/** A member with a size, none when the field is empty; undefined when it is no size. */
export function sizeMember(name: string, text: string | undefined): Record<string, number> | undefined {
  if (!text) return {};
  const bytes = parseSize(text);
  return bytes === undefined ? undefined : { [name]: bytes };
}
