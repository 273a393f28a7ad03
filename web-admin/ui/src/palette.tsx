// Ctrl K: goes to any page, domain, mailbox, group, alias or message from a few letters. Arrows choose, Enter opens, Escape closes.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get } from "./api";
import type { AliasPage, DomainPage, GroupPage, UserPage } from "../generated/api";
import type { IconName } from "./icons";
import { Icon, useLoad, useModal } from "./parts";
import { go, href } from "./router";
import { t } from "./words";

export interface Goal { icon: IconName; name: string; to: string }

const kMost = 5;  // of each kind: what fits without scrolling

async function look(text: string, signal: AbortSignal): Promise<Goal[]> {
  if (text.length < 2) return [];
  const [users, domains, groups, aliases] = await Promise.all([
    get<UserPage>(["users"], { search: text, limit: kMost }, signal), get<DomainPage>(["domains"], { search: text, limit: kMost }, signal),
    get<GroupPage>(["groups"], { search: text, limit: kMost }, signal), get<AliasPage>(["aliases"], { search: text, limit: kMost }, signal),
  ]);
  return [
    ...domains.items.map((one): Goal => ({ icon: "globe", name: one.display_name, to: href(["domains", one.name]) })),
    ...users.items.map((one): Goal => ({ icon: "box", name: one.address, to: href(["mailboxes", one.address]) })),
    ...groups.items.map((one): Goal => ({ icon: "group", name: one.display_name ? `${one.display_name} · ${one.address}` : one.address, to: href(["groups"], { find: one.address }) })),
    ...aliases.items.map((one): Goal => ({ icon: "users", name: `${one.address} → ${one.targets[0] ?? ""}${one.targets.length > 1 ? " …" : ""}`, to: href(["aliases"], { find: one.address }) })),
  ];
}

export function Palette({ pages, close }: { pages: readonly Goal[]; close: () => void }): JSX.Element {
  const [text, setText] = useState("");
  const [chosen, choose] = useState(0);
  const dialog = useModal();
  const wanted = text.trim().toLowerCase();
  const found = useLoad(`find ${wanted}`, (signal) => look(wanted, signal)).value ?? [];
  const goals = [...pages.filter((page) => page.name.toLowerCase().includes(wanted)), ...found];
  if (wanted) goals.push({ icon: "route", name: t("find.in-trace", { text: text.trim() }), to: href(["trace"], { find: text.trim() }) });
  const at = Math.min(chosen, goals.length - 1);
  const open = (goal: Goal | undefined): void => {
    close();
    if (goal) go(goal.to);
  };
  const pressed = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown") choose((at + 1) % goals.length);
    else if (event.key === "ArrowUp") choose((at + goals.length - 1) % goals.length);
    else if (event.key === "Enter") open(goals[at]);
    else return;
    event.preventDefault();
  };
  return (
    <dialog ref={dialog} class="palette" aria-label={t("find")} onCancel={(event) => { event.preventDefault(); close(); }} onClick={(event) => event.target === event.currentTarget && close()}>
      <input class="input" type="text" role="combobox" aria-label={t("find")} aria-expanded="true" aria-controls="goals" aria-activedescendant={`goal-${at}`} placeholder={t("find.hint")} value={text} autocomplete="off" spellcheck={false}
        onInput={(event) => { setText(event.currentTarget.value); choose(0); }} onKeyDown={pressed} />
      <ul role="listbox" id="goals" aria-label={t("find")}>{goals.map((goal, index) => (
        <li key={goal.to} role="option" id={`goal-${index}`} aria-selected={index === at} onClick={() => open(goal)}><Icon name={goal.icon} /><span class="break">{goal.name}</span></li>
      ))}</ul>
    </dialog>
  );
}
