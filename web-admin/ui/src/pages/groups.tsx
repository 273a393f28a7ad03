// Groups: addresses with members, and who may write to them.
import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { get, patch, post, remove } from "../api";
import type { Group, GroupPage, GroupWriters } from "../../generated/api";
import { BulkBar, type Errand, ErrandDialog, useChosen } from "../bulk";
import { listOf } from "../csv";
import { number } from "../format";
import { Dialog, Field, Search, Select } from "../forms";
import { Card, Empty, Failure, Head, Icon, Shown, toast, useLoad } from "../parts";
import { Pager, Table } from "../table";
import type { Place } from "../router";
import { t } from "../words";
import { filter, pagingOf, SortBy, sortedBy, sortingOf } from "./lists";
import { type Kind, Transfer } from "./transfer";

const kWriters = ["anyone", "members", "domain"] as const satisfies readonly GroupWriters[];
const writersWord = (writers: GroupWriters): string => t(`writers.${writers}`);

const kFile: Kind<Group> = {
  path: "groups",
  columns: ["address", "display_name", "writers", "members"],
  fill: (group) => [group.address, group.display_name, group.writers, group.members.join(" ")],
  body: ({ address = "", display_name = "", writers = "", members = "" }) => {
    const isKnown = writers === "" || kWriters.some((one) => one === writers);
    if (!/^[^@]+@[^@]+$/.test(address) || !isKnown || listOf(members).length === 0) return undefined;
    return { address, display_name, ...(writers ? { writers } : {}), members: listOf(members) };
  },
};

const kOrders = ["address", "members", "created"] as const;

export function GroupsPage({ place }: { place: Place }): JSX.Element {
  const find = place.query.get("find") ?? "";
  const sort = sortedBy(place, kOrders);
  const paging = pagingOf(place);
  const [edited, edit] = useState<Group | "new">();
  const [error, setError] = useState<unknown>();
  const loaded = useLoad(`groups ${find} ${sort} ${paging.after}`, (signal) => get<GroupPage>(["groups"], { limit: 25, after: paging.after, search: find, sort }, signal));
  const chosen = useChosen(`${find} ${sort} ${paging.after}`);
  const [errand, begin] = useState<Errand>();
  const dropAll = (): void => begin({ title: t("delete.groups", { n: chosen.keys.size }), names: [...chosen.keys], one: (name) => remove(["groups", name]), ask: { text: t("delete.aliases.about"), action: t("delete") } });
  const drop = (group: Group): void => void remove(["groups", group.address]).then(() => {
    const { address, display_name, writers, members } = group;
    toast(t("deleted", { name: address }), () => void post(["groups"], { address, display_name, writers, members }).then(loaded.reload, setError));
    loaded.reload();
  }, setError);
  return (
    <>
      <Head title={t("groups")} about={t("groups.about")}><Transfer kind={kFile} parameters={{ search: find }} done={loaded.reload} /><button type="button" class="btn primary" onClick={() => edit("new")}><Icon name="plus" />{t("new-group")}</button></Head>
      {error !== undefined && <Failure error={error} />}
      <Card label={t("groups")}>
        <div class="tools"><Search label={t("groups.find")} value={find} onInput={(value) => filter(place, { find: value })} /><SortBy place={place} orders={kOrders} /></div>
        <Shown from={loaded}>{(page) => page.items.length === 0 ? <Empty icon="group" title={find ? t("nothing-found") : t("no-groups")}><p>{find ? t("domains.find.about") : t("no-groups.about")}</p></Empty>
          : <><BulkBar chosen={chosen}><button type="button" class="btn s danger" onClick={dropAll}>{t("delete")} …</button></BulkBar><Table<Group> label={t("groups")} items={page.items} keyOf={(one) => one.address} chosen={chosen} sorting={sortingOf(place, kOrders)} columns={[
            { word: "group.one", order: "address", main: true, cell: (one) => <><span class="title break">{one.display_name || one.address}</span>{one.display_name && <><br /><span class="small muted break">{one.address}</span></>}</> },
            { word: "writers", cell: (one) => one.writers === "anyone" ? <span class="small">{writersWord(one.writers)}</span> : <span class="st small"><Icon name="lock" tone="off" />{writersWord(one.writers)}</span> },
            { word: "members", order: "members", class: "full", cell: (one) => <span class="small break">{one.members.slice(0, 3).join(", ")}{one.members.length > 3 && ` + ${number(one.members.length - 3)}`}</span> },
            { word: "actions", class: "act", cell: (one) => <span class="line"><button type="button" class="btn s" aria-label={`${t("change")}: ${one.address}`} onClick={() => edit(one)}>{t("change")}</button><button type="button" class="btn s danger" aria-label={`${t("delete")}: ${one.address}`} onClick={() => drop(one)}>{t("delete")}</button></span> },
          ]} /><Pager count={page.items.length} next={page.next} back={paging.back} forward={paging.forward} /></>}</Shown>
      </Card>
      {errand && <ErrandDialog errand={errand} close={() => { begin(undefined); chosen.set(new Set()); loaded.reload(); }} />}
      {edited && <Edit group={edited === "new" ? undefined : edited} close={() => edit(undefined)} done={loaded.reload} />}
    </>
  );
}

function Edit({ group, close, done }: { group: Group | undefined; close: () => void; done: () => void }): JSX.Element {
  const id = useId();
  const [address, setAddress] = useState(group?.address ?? "");
  const [name, setName] = useState(group?.display_name ?? "");
  const [writers, setWriters] = useState<GroupWriters>(group?.writers ?? "anyone");
  const [members, setMembers] = useState(group?.members.join("\n") ?? "");
  const [error, setError] = useState<unknown>();
  const submit = (event: Event): void => {
    event.preventDefault();
    const body = { display_name: name.trim(), writers, members: listOf(members) };
    const saved = group ? patch(["groups", group.address], body) : post(["groups"], { address: address.trim(), ...body });
    saved.then(() => { toast(t("saved")); close(); done(); }, setError);
  };
  return (
    <Dialog title={group ? group.address : t("new-group")} close={close}><form class="stack" onSubmit={submit}>
      {!group && <Field label={t("address")} name="address" value={address} onInput={setAddress} required autofocus hint={t("group.hint")} />}
      <Field label={t("name")} name="display-name" value={name} onInput={setName} hint={t("group.name.hint")} autofocus={group !== undefined} />
      <div class="field"><span class="label">{t("writers")}</span><Select<GroupWriters> label={t("writers")} value={writers} onChange={setWriters} options={kWriters.map((one) => [one, writersWord(one)] as const)} /><p class="hint">{t(`writers.${writers}.about`)}</p></div>
      <div class="field"><label for={id}>{t("members")}</label>
        <textarea class="input" id={id} name="members" rows={5} required spellcheck={false} autocomplete="off" value={members} onInput={(event) => setMembers(event.currentTarget.value)} aria-describedby={`${id}-hint`} />
        <p class="hint" id={`${id}-hint`}>{t("members.hint")}</p></div>
      {error !== undefined && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary">{t("save")}</button></div>
    </form></Dialog>
  );
}
