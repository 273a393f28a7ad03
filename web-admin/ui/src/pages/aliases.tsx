// Aliases: which address leads where; "@domain" is the catch-all.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, post, put, remove } from "../api";
import type { Alias, AliasPage } from "../../generated/api";
import { BulkBar, type Errand, ErrandDialog, useChosen } from "../bulk";
import { listOf } from "../csv";
import { Dialog, Field, Search } from "../forms";
import { Card, Empty, Failure, Head, Icon, Shown, Time, toast, useLoad } from "../parts";
import { Pager, Table } from "../table";
import type { Place } from "../router";
import { t } from "../words";
import { filter, pagingOf, SortBy, sortedBy, sortingOf } from "./lists";
import { type Kind, Transfer } from "./transfer";

const kFile: Kind<Alias> = {
  path: "aliases",
  columns: ["address", "targets"],
  fill: (alias) => [alias.address, alias.targets.join(" ")],
  body: ({ address = "", targets = "" }) => (/^[^@]*@[^@]+$/.test(address) && listOf(targets).length ? { address, targets: listOf(targets) } : undefined),
};

const kOrders = ["address", "targets", "created"] as const;

export function AliasesPage({ place }: { place: Place }): JSX.Element {
  const find = place.query.get("find") ?? "";
  const sort = sortedBy(place, kOrders);
  const paging = pagingOf(place);
  const [edited, edit] = useState<Alias | "new">();
  const [error, setError] = useState<unknown>();
  const loaded = useLoad(`aliases ${find} ${sort} ${paging.after}`, (signal) => get<AliasPage>(["aliases"], { limit: 25, after: paging.after, search: find, sort }, signal));
  const chosen = useChosen(`${find} ${sort} ${paging.after}`);
  const [errand, begin] = useState<Errand>();
  const dropAll = (): void => begin({ title: t("delete.aliases", { n: chosen.keys.size }), names: [...chosen.keys], one: (name) => remove(["aliases", name]), ask: { text: t("delete.aliases.about"), action: t("delete") } });
  const drop = (alias: Alias): void => void remove(["aliases", alias.address]).then(() => {
    toast(t("deleted", { name: alias.address }), () => void post(["aliases"], { address: alias.address, targets: alias.targets }).then(loaded.reload, setError));
    loaded.reload();
  }, setError);
  return (
    <>
      <Head title={t("aliases")} about={t("aliases.about")}><Transfer kind={kFile} parameters={{ search: find }} done={loaded.reload} /><button type="button" class="btn primary" onClick={() => edit("new")}><Icon name="plus" />{t("new-alias")}</button></Head>
      {error !== undefined && <Failure error={error} />}
      <Card label={t("aliases")}>
        <div class="tools"><Search label={t("aliases.find")} value={find} onInput={(value) => filter(place, { find: value })} /><SortBy place={place} orders={kOrders} /></div>
        <Shown from={loaded}>{(page) => page.items.length === 0 ? <Empty icon="users" title={find ? t("nothing-found") : t("no-aliases")}><p>{find ? t("domains.find.about") : t("no-aliases.about")}</p></Empty>
          : <><BulkBar chosen={chosen}><button type="button" class="btn s danger" onClick={dropAll}>{t("delete")} …</button></BulkBar><Table<Alias> label={t("aliases")} items={page.items} keyOf={(one) => one.address} chosen={chosen} sorting={sortingOf(place, kOrders)} columns={[
            { word: "alias", order: "address", main: true, cell: (one) => <><span class="title break">{one.address}</span>{one.address.startsWith("@") && <> <span class="tag info">{t("catch-all")}</span></>}</> },
            { word: "leads-to", order: "targets", class: "full", cell: (one) => <span class="small break">{one.targets.slice(0, 3).join(", ")}{one.targets.length > 3 && ` + ${one.targets.length - 3}`}</span> },
            { word: "created", order: "created", class: "small wide", cell: (one) => <Time at={one.created} as="short" /> },
            { word: "actions", class: "act", cell: (one) => <span class="line"><button type="button" class="btn s" aria-label={`${t("change")}: ${one.address}`} onClick={() => edit(one)}>{t("change")}</button><button type="button" class="btn s danger" aria-label={`${t("delete")}: ${one.address}`} onClick={() => drop(one)}>{t("delete")}</button></span> },
          ]} /><Pager count={page.items.length} next={page.next} back={paging.back} forward={paging.forward} /></>}</Shown>
      </Card>
      {errand && <ErrandDialog errand={errand} close={() => { begin(undefined); chosen.set(new Set()); loaded.reload(); }} />}
      {edited && <Edit alias={edited === "new" ? undefined : edited} close={() => edit(undefined)} done={loaded.reload} />}
    </>
  );
}

function Edit({ alias, close, done }: { alias: Alias | undefined; close: () => void; done: () => void }): JSX.Element {
  const [address, setAddress] = useState(alias?.address ?? "");
  const [targets, setTargets] = useState(alias?.targets.join(", ") ?? "");
  const [error, setError] = useState<unknown>();
  const submit = (event: Event): void => {
    event.preventDefault();
    const list = listOf(targets);
    const saved = alias ? put(["aliases", alias.address], { targets: list }) : post(["aliases"], { address: address.trim(), targets: list });
    saved.then(() => { toast(t("saved")); close(); done(); }, setError);
  };
  return (
    <Dialog title={alias ? alias.address : t("new-alias")} close={close}><form class="stack" onSubmit={submit}>
      {!alias && <Field label={t("alias")} name="alias" value={address} onInput={setAddress} required autofocus hint={t("alias.hint")} />}
      <Field label={t("leads-to")} name="targets" value={targets} onInput={setTargets} required hint={t("targets.hint")} />
      {error !== undefined && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary">{t("save")}</button></div>
    </form></Dialog>
  );
}
