// What pages are made of. Everything that comes from outside is a text child or an attribute, never markup.
import type { ComponentChildren, JSX, RefObject } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { ApiError } from "./api";
import { exactTime, relative, shortTime } from "./format";
import { icons, type IconName } from "./icons";
import { useSaid } from "./said";
import { t } from "./words";

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

/** A dialog that stands over all else while it is there. WHY it is closed: the browser gives the focus back then, not when it is taken out of the page. */
export function useModal(): RefObject<HTMLDialogElement | null> {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const shown = dialog.current!;
    const before = document.activeElement;
    shown.showModal();
    return () => {
      shown.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return dialog;
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
