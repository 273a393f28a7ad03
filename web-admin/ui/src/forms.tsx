// What is filled in, chosen, asked and copied. Everything that comes from outside is a text child or an attribute, never markup.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Failure, Icon, toast, useModal } from "./parts";
import { t } from "./words";

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

/** What stands in the field: what is typed as long as it means `value`, for a space at the end is the beginning of the next word. */
export const asTyped = (typed: string, value: string): string => (typed.trim() === value.trim() ? typed : value);

/** `onInput` gets what is looked for, without spaces around it. */
export function Search({ label, value, onInput }: { label: string; value: string; onInput: (value: string) => void }): JSX.Element {
  const [typed, setTyped] = useState(value);
  const changed = (text: string): void => {
    setTyped(text);
    if (text.trim() !== value.trim()) onInput(text.trim());
  };
  return (
    <div class="search">
      <Icon name="search" />
      <input class="input" type="search" aria-label={label} placeholder={label} value={asTyped(typed, value)} spellcheck={false} autocomplete="off" onInput={(event) => changed(event.currentTarget.value)} />
    </div>
  );
}

export function Dialog({ title, close, children }: { title: string; close: () => void; children: ComponentChildren }): JSX.Element {
  const dialog = useModal();
  const id = useId();
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

/** What a page has besides what is seen: on a phone the one that is seen is scrolled to. */
export function Tabs({ label, tabs }: { label: string; tabs: readonly { to: string; text: string; isHere?: boolean }[] }): JSX.Element {
  const nav = useRef<HTMLElement>(null);
  const here = tabs.findIndex((one) => one.isHere);
  useEffect(() => {
    const bar = nav.current!;
    const current = bar.querySelector<HTMLElement>("[aria-current]");
    const resized = new ResizeObserver(() => { if (current) bar.scrollLeft = current.offsetLeft - bar.offsetLeft - kBeforeTab; });
    resized.observe(bar);
    return () => resized.disconnect();
  }, [here]);
  return <nav class="tabs" aria-label={label} ref={nav}>{tabs.map(({ to, text, isHere }) => <a key={to} href={to} {...(isHere ? { "aria-current": "page" as const } : {})}>{text}</a>)}</nav>;
}
const kBeforeTab = 48;  // pixels: a part of the one before shows that there is more
