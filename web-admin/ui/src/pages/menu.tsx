// A button with further choices. WHY no select: with one the first arrow key chooses, and these choices act.
import type { JSX } from "preact";
import { useId, useRef, useState } from "preact/hooks";

const kGap = 4;     // pixels between the button and its choices
const kMargin = 8;  // pixels to the sides of the window

/** Where the choices stand on the page: under the button, over it where there is no room, and never outside the window. */
function place(choices: HTMLElement, button: HTMLElement): void {
  const { left, top, bottom } = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = choices;
  const isBelow = bottom + kGap + height <= innerHeight || top < height + kGap;
  choices.style.left = `${scrollX + Math.max(kMargin, Math.min(left, document.documentElement.clientWidth - width - kMargin))}px`;
  choices.style.top = `${scrollY + (isBelow ? bottom + kGap : top - kGap - height)}px`;
}

/** Which of `count` choices a key goes to from the one at `at`; undefined when it is no such key. */
export function goesTo(key: string, at: number, count: number): number | undefined {
  const steps: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at + count - 1, Home: 0, End: count - 1 };
  const to = Object.hasOwn(steps, key) ? steps[key] : undefined;
  return to === undefined ? undefined : to % count;
}

export function Menu<T extends string>({ text, label, choices, choose }: { text: string; label: string; choices: readonly (readonly [T, string])[]; choose: (value: T) => void }): JSX.Element {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [isOpen, setOpen] = useState(false);
  const all = (): HTMLButtonElement[] => [...list.current!.querySelectorAll("button")];
  const toggled = (event: { newState: string }): void => {
    setOpen(event.newState === "open");
    if (event.newState !== "open") return;
    place(list.current!, button.current!);
    all()[0]?.focus();
  };
  const pressed = (event: KeyboardEvent): void => {
    if (event.key === "Tab") list.current!.hidePopover();
    const to = goesTo(event.key, all().indexOf(document.activeElement as HTMLButtonElement), choices.length);
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();  // WHY: in a list the arrows go along its rows
    all()[to]!.focus();
  };
  const chosen = (value: T): void => {
    list.current!.hidePopover();  // the button has the focus again, and gets it back after a dialog
    choose(value);
  };
  return (
    <>
      <button ref={button} type="button" class="btn s" popovertarget={id} aria-haspopup="menu" aria-expanded={isOpen} aria-label={label}>{text}<span aria-hidden="true">▾</span></button>
      <div ref={list} id={id} class="menu" popover="auto" role="menu" aria-label={label} onToggle={toggled} onKeyDown={pressed}>
        {choices.map(([value, name]) => <button key={value} type="button" role="menuitem" tabIndex={-1} onClick={() => chosen(value)}>{name}</button>)}
      </div>
    </>
  );
}
