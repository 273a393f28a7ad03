// What pages are made of. Everything that comes from outside is a text child or an attribute, never markup.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { ApiError } from "./api";
import { exactTime, relative, shortTime } from "./format";
import { icons, type IconName } from "./icons";
import type { Chosen } from "./bulk";
import { useSaid } from "./said";
import { t, type Word } from "./words";

export type Tone = "ok" | "warn" | "bad" | "off" | "info";

export function Icon({ name, tone, label }: { name: IconName; tone?: Tone; label?: string }): JSX.Element {
  const described = label ? { role: "img" as const, "aria-label": label } : { "aria-hidden": true as const };
  return <svg class={`i ${tone ?? ""}`} viewBox="0 0 20 20" {...described}>{icons[name]()}</svg>;
}

const toneIcons: Record<Tone, IconName> = { ok: "s-ok", warn: "s-warn", bad: "s-bad", off: "s-off", info: "info" };

export function State({ tone, icon, children }: { tone: Tone; icon?: IconName; children: ComponentChildren }): JSX.Element {
  return <span class="st"><Icon name={icon ?? toneIcons[tone]} tone={tone} />{children}</span>;
}

export function Head(props: { title: string; about?: ComponentChildren; tone?: Tone; icon?: IconName; crumbs?: ComponentChildren; children?: ComponentChildren }): JSX.Element {
  useEffect(() => {
    document.title = `${props.title} · Posthus`;
  }, [props.title]);
  return (
    <div>
      {props.crumbs && <p class="crumbs">{props.crumbs}</p>}
      <div class="head">
        <div class="head-main">
          {props.tone && <span class={`emblem ${props.tone}`}><Icon name={props.icon ?? toneIcons[props.tone]} tone={props.tone} /></span>}
          <div><h1 class="break">{props.title}</h1>{props.about && <p>{props.about}</p>}</div>
        </div>
        {props.children && <div class="line">{props.children}</div>}
      </div>
    </div>
  );
}

export function Card({ title, aside, children, label }: { title?: string; aside?: ComponentChildren; children: ComponentChildren; label?: string }): JSX.Element {
  const id = useId();
  return (
    <section class="card" {...(title ? { "aria-labelledby": id } : { "aria-label": label })}>
      {title && <header><h2 id={id}>{title}</h2>{aside}</header>}
      {children}
    </section>
  );
}

export function Time({ at, as = "relative" }: { at: string; as?: "relative" | "short" }): JSX.Element {
  return <time dateTime={at} title={exactTime(at)}>{as === "relative" ? relative(at) : shortTime(at)}</time>;
}

export function Bar({ part, tone }: { part: number; tone: Tone }): JSX.Element {
  const width = Math.max(0, Math.min(100, Math.round(part * 100)));
  return <svg class={`bar ${tone}`} viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect width={width} height="6" /></svg>;
}

export function Loading({ rows = 4 }: { rows?: number }): JSX.Element {
  return <div class="loading" role="status"><span class="sr">{t("loading")}</span>{Array.from({ length: rows }, (_, i) => <span key={i} class="skel" />)}</div>;
}

/** What happened, in words: a refusal by its status, then the server's own sentence one click away. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof ApiError)) return t("error.unexpected");
  if (error.status === 0) return t("error.unreachable");
  if (error.status === 403) return t("error.forbidden");
  if (error.status === 404) return t("error.gone");
  if (error.status === 409) return t("error.conflict");
  if (error.status === 429) return t("error.throttled");
  if (error.status >= 500) return t("error.server");
  return t("error.refused");
}

export function Failure({ error, retry }: { error: unknown; retry?: (() => void) | undefined }): JSX.Element {
  const said = useSaid();
  const exact = error instanceof ApiError ? said(error.detail, error.code) : String(error);
  // WHY: of a refusal the server's own sentence says what to mend.
  const isAnswer = error instanceof ApiError && (error.status === 400 || error.status === 409);
  return (
    <div class="notice bad" role="alert">
      <Icon name="s-bad" tone="bad" />
      <div class="grow"><b>{sentenceOf(error)}</b>{exact && <Exact text={exact} open={isAnswer} />}</div>
      {retry && <button type="button" class="btn s" onClick={retry}>{t("again")}</button>}
    </div>
  );
}

export function Exact({ text, open = false }: { text: string; open?: boolean }): JSX.Element {
  return <details open={open}><summary>{t("exact")}</summary><pre class="raw" tabIndex={0}>{text}</pre></details>;
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }): JSX.Element {
  return <div class="empty"><Icon name={icon} /><h2>{title}</h2>{children}</div>;
}

export function Field(props: { label: string; name: string; type?: "text" | "email" | "password"; value: string; onInput: (value: string) => void; hint?: string; error?: string; autocomplete?: string; required?: boolean; autofocus?: boolean; placeholder?: string }): JSX.Element {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (props.autofocus) input.current?.focus();
  }, [props.autofocus]);
  const kind = { type: props.type ?? "text" } as { type: "text" };  // WHY: elements are typed by one type each
  const note = props.error ?? props.hint;
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <input ref={input} class="input" id={id} name={props.name} {...kind} value={props.value} required={props.required ?? false}
        placeholder={props.placeholder ?? ""} autocomplete={props.autocomplete ?? "off"} spellcheck={false} aria-invalid={props.error ? "true" : "false"}
        {...(note ? { "aria-describedby": `${id}-note` } : {})} onInput={(event) => props.onInput(event.currentTarget.value)} />
      {props.error ? <p class="err" id={`${id}-note`}><Icon name="s-bad" tone="bad" /><span>{props.error}</span></p>
        : props.hint ? <p class="hint" id={`${id}-note`}>{props.hint}</p> : null}
    </div>
  );
}

export function Select<T extends string>(props: { label: string; value: T; options: readonly (readonly [T, string])[]; onChange: (value: T) => void }): JSX.Element {
  return (
    <select class="input" aria-label={props.label} value={props.value} onChange={(event) => props.onChange(event.currentTarget.value as T)}>
      {props.options.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
    </select>
  );
}

export function Search({ label, value, onInput }: { label: string; value: string; onInput: (value: string) => void }): JSX.Element {
  return (
    <div class="search">
      <Icon name="search" />
      <input class="input" type="search" aria-label={label} placeholder={label} value={value} spellcheck={false} autocomplete="off" onInput={(event) => onInput(event.currentTarget.value)} />
    </div>
  );
}

export function Dialog({ title, close, children }: { title: string; close: () => void; children: ComponentChildren }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby={id} onCancel={(event) => { event.preventDefault(); close(); }}>
      <div class="stack"><h2 id={id} class="break">{title}</h2>{children}</div>
    </dialog>
  );
}

/** Asks once. With `name` it has to be typed, because mail would be lost. */
export function Confirm(props: { title: string; text: string; action: string; name?: string; tone?: "danger"; run: () => Promise<void>; close: () => void }): JSX.Element {
  const [typed, setTyped] = useState("");
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      await props.run();
      props.close();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog title={props.title} close={props.close}>
      <form class="stack" onSubmit={submit}>
        <p>{props.text}</p>
        {props.name !== undefined && <Field label={t("confirm.type", { name: props.name })} name="confirm" value={typed} onInput={setTyped} autofocus />}
        {error !== undefined && <Failure error={error} />}
        <div class="buttons">
          <button type="button" class="btn" onClick={props.close}>{t("cancel")}</button>
          <button class={`btn primary ${props.tone ?? ""}`} disabled={isBusy || (props.name !== undefined && typed !== props.name)}>{props.action}</button>
        </div>
      </form>
    </Dialog>
  );
}

export function Copy({ text, label }: { text: string; label: string }): JSX.Element {
  const copy = (): void => void navigator.clipboard.writeText(text).then(() => toast(t("copied")), () => toast(t("copy.failed")));
  return <button type="button" class="btn quiet icon s" aria-label={label} title={t("copy")} onClick={copy}><Icon name="copy" /></button>;
}

interface Toast { id: number; text: string; undo?: () => void }
let toasts: Toast[] = [];
let showToasts: (all: Toast[]) => void = () => undefined;
let lastToast = 0;
/** Says that something was done; for six seconds, longer with something to undo. */
export function toast(text: string, undo?: () => void): void {
  const id = ++lastToast;
  const leave = (): void => {
    toasts = toasts.filter((one) => one.id !== id);
    showToasts(toasts);
  };
  toasts = [...toasts.slice(-2), { id, text, ...(undo ? { undo: () => { leave(); undo(); } } : {}) }];
  showToasts(toasts);
  setTimeout(leave, undo ? 12_000 : 6_000);
}

export function Toasts(): JSX.Element {
  const [all, setAll] = useState(toasts);
  useEffect(() => {
    showToasts = setAll;
  }, []);
  return <div class="toasts" role="status" aria-live="polite">{all.map((one) => <div key={one.id} class="toast"><span>{one.text}</span>{one.undo && <button type="button" class="btn quiet s" onClick={one.undo}>{t("undo")}</button>}</div>)}</div>;
}

export interface Loaded<T> { value?: T; error?: unknown; isLoading: boolean; reload: () => void; at: number }
/** Loads when `key` changes and every `every` seconds while the page is visible; what came late is dropped. What `load` tells before its end is shown meanwhile. */
export function useLoad<T>(key: string, load: (signal: AbortSignal, meanwhile: (value: T) => void) => Promise<T>, every = 0): Loaded<T> {
  const [state, setState] = useState<{ key: string; value?: T; isPart?: boolean; error?: unknown; isLoading: boolean; at: number }>({ key, isLoading: true, at: 0 });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    setState((before) => ({ ...(before.key === key ? before : { key, at: 0 }), key, isLoading: true }));
    load(abort.signal, (value) => !abort.signal.aborted && setState((before) => (before.value !== undefined && !before.isPart ? before : { key, value, isPart: true, isLoading: true, at: Date.now() }))).then(
      (value) => !abort.signal.aborted && setState({ key, value, isLoading: false, at: Date.now() }),
      (error: unknown) => !abort.signal.aborted && setState((before) => ({ key, ...(before.key === key && before.value !== undefined ? { value: before.value } : {}), error, isLoading: false, at: Date.now() })),
    );
    return () => abort.abort();
  }, [key, round]);
  useEffect(() => {
    if (!every) return undefined;
    const timer = setInterval(() => document.visibilityState === "visible" && setRound((n) => n + 1), every * 1000);
    return () => clearInterval(timer);
  }, [every]);
  return { ...state, reload: () => setRound((n) => n + 1) };
}

/** The value, or what stands in its place. */
export function Shown<T>({ from, children, rows }: { from: Loaded<T>; rows?: number; children: (value: T) => ComponentChildren }): JSX.Element {
  if (from.value !== undefined) return <>{from.error !== undefined && <Failure error={from.error} retry={from.reload} />}{children(from.value)}</>;
  if (from.error !== undefined) return <Failure error={from.error} retry={from.reload} />;
  return <Loading {...(rows ? { rows } : {})} />;
}

export interface Column<T> { word: Word; cell: (item: T) => ComponentChildren; class?: string; main?: boolean }
/** A list; on phones each row is a card whose values carry their labels. With `chosen` rows can be selected. */
export function Table<T>({ label, items, columns, keyOf, chosen }: { label: string; items: readonly T[]; columns: readonly Column<T>[]; keyOf: (item: T) => string; chosen?: Chosen }): JSX.Element {
  return (
    <table class="table" role="table" aria-label={label}>
      <thead role="rowgroup"><tr role="row">{chosen && <th role="columnheader" scope="col" class="sel"><ChooseAll keys={items.map(keyOf)} chosen={chosen} /></th>}{columns.map((column) => <th key={column.word} role="columnheader" scope="col" class={column.class ?? ""}>{column.class?.includes("act") ? <span class="sr">{t(column.word)}</span> : t(column.word)}</th>)}</tr></thead>
      <tbody role="rowgroup" onKeyDown={alongColumn}>{items.map((item) => (
        <tr key={keyOf(item)} role="row" class={`${chosen ? "has-sel" : ""} ${chosen?.keys.has(keyOf(item)) ? "on" : ""}`}>{chosen && <td role="cell" class="sel"><Choose name={keyOf(item)} chosen={chosen} /></td>}{columns.map((column) => <td key={column.word} role="cell" class={`${column.main ? "main-cell" : ""} ${column.class ?? ""}`} {...(column.main || column.class?.includes("act") ? {} : { "data-label": t(column.word) })}>{column.cell(item)}</td>)}</tr>
      ))}</tbody>
    </table>
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
