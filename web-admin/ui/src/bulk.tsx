// Doing one thing to many: what is chosen of a list, and an errand that goes through it, tells how far it is, can be stopped, and
// says at the end what could not be done.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "./api";
import { Dialog, Field } from "./forms";
import { Exact, Icon, sentenceOf, toast } from "./parts";
import { t } from "./words";
import { useSaid } from "./said";

export interface Chosen { keys: ReadonlySet<string>; set: (keys: ReadonlySet<string>) => void }
const kNothing: ReadonlySet<string> = new Set();

/** What is chosen of the list with this name; nothing when it is another list. */
export function useChosen(list: string): Chosen {
  const [state, setState] = useState({ list, keys: kNothing });
  return { keys: state.list === list ? state.keys : kNothing, set: (keys) => setState({ list, keys }) };
}

export function BulkBar({ chosen, children }: { chosen: Chosen; children: ComponentChildren }): JSX.Element | null {
  if (chosen.keys.size === 0) return null;
  return (
    <div class="bulk" role="group" aria-label={t("chosen")}>
      <b class="small">{t("n.chosen", { n: chosen.keys.size })}</b>{children}
      <button type="button" class="btn quiet s" onClick={() => chosen.set(kNothing)}>{t("choose-none")}</button>
    </div>
  );
}

export interface Errand {
  title: string;
  names: readonly string[];
  one: (name: string) => Promise<unknown>;
  /** Asked before; with `isCostly` the number has to be typed, because mail would be lost. */
  ask?: { text: string; action: string; isCostly?: boolean };
}
interface Failed { name: string; error: unknown }
const kAtOnce = 4;  // requests on their way: the server makes one group of them

/** Goes through the names; `told` hears of each. Ends early when `signal` is aborted. */
export async function goThrough(errand: Errand, signal: AbortSignal, told: (done: number, failed: readonly Failed[]) => void): Promise<readonly Failed[]> {
  const failed: Failed[] = [];
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    while (next < errand.names.length && !signal.aborted) {
      const name = errand.names[next++]!;
      await errand.one(name).catch((error: unknown) => failed.push({ name, error }));
      told(++done, failed);
    }
  };
  await Promise.all(Array.from({ length: kAtOnce }, work));
  return failed;
}

export function ErrandDialog({ errand, close }: { errand: Errand; close: () => void }): JSX.Element {
  const [isAsked, setAsked] = useState(errand.ask !== undefined);
  return <Dialog title={errand.title} close={close}>{isAsked && errand.ask ? <Asked ask={errand.ask} count={errand.names.length} go={() => setAsked(false)} close={close} /> : <Running errand={errand} close={close} />}</Dialog>;
}

function Asked({ ask, count, go, close }: { ask: NonNullable<Errand["ask"]>; count: number; go: () => void; close: () => void }): JSX.Element {
  const [typed, setTyped] = useState("");
  return (
    <form class="stack" onSubmit={(event) => { event.preventDefault(); go(); }}>
      <p>{ask.text}</p>
      {ask.isCostly && <Field label={t("confirm.type", { name: String(count) })} name="confirm" value={typed} onInput={setTyped} autofocus />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class={`btn primary ${ask.isCostly ? "danger" : ""}`} disabled={ask.isCostly === true && typed !== String(count)}>{ask.action}</button></div>
    </form>
  );
}

function Running({ errand, close }: { errand: Errand; close: () => void }): JSX.Element {
  const [state, setState] = useState<{ done: number; failed: readonly Failed[]; isOver: boolean }>({ done: 0, failed: [], isOver: false });
  const abort = useRef(new AbortController());
  useEffect(() => {
    const { signal } = abort.current;
    void goThrough(errand, signal, (done, failed) => setState({ done, failed: [...failed], isOver: false })).then((failed) => {
      setState((before) => ({ ...before, isOver: true }));
      if (failed.length > 0 || signal.aborted) return;
      toast(t("errand.done", { n: errand.names.length }));
      close();
    });
    return () => abort.current.abort();
  }, []);
  const all = errand.names.length;
  return (
    <>
      <p aria-live="polite">{state.isOver ? t("errand.over", { done: state.done - state.failed.length, all }) : t("errand.progress", { done: state.done, all })}</p>
      <progress class="progress" max={all} value={state.done} aria-label={errand.title} />
      {state.failed.length > 0 && <Failures failed={state.failed} />}
      <div class="buttons">{state.isOver ? <button type="button" class="btn primary" onClick={close}>{t("close")}</button> : <button type="button" class="btn" onClick={() => abort.current.abort()}>{t("stop")}</button>}</div>
    </>
  );
}

const kShown = 20;
function Refusal({ error }: { error: ApiError }): JSX.Element {
  return <Exact text={useSaid()(error.detail, error.code)} />;
}

function Failures({ failed }: { failed: readonly Failed[] }): JSX.Element {
  return (
    <div class="stack tight" role="alert"><b class="line"><Icon name="s-bad" tone="bad" />{t("errand.failed", { n: failed.length })}</b>
      <ul class="stack tight small">{failed.slice(0, kShown).map((one) => <li key={one.name} class="break"><b>{one.name}</b>: {sentenceOf(one.error)}{one.error instanceof ApiError && one.error.detail && <Refusal error={one.error} />}</li>)}</ul>
    </div>
  );
}
