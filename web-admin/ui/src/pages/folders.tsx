// What one's own folders hold.
import type { JSX } from "preact";
import type { Folder, FolderPage } from "../../generated/api";
import { get } from "../api";
import { number, size } from "../format";
import { Shown, useLoad } from "../parts";
import { Table } from "../table";
import { t } from "../words";

const kMost = 200;  // more rows nobody reads, and the largest come first
const nameOf = (one: Folder): string => (one.use === "inbox" ? t("folder.inbox") : one.name);

/** Loaded when somebody opens it. */
export function Folders(): JSX.Element {
  const loaded = useLoad("folders", (signal) => get<FolderPage>(["me", "folders"], {}, signal));
  return (
    <Shown from={loaded} rows={3}>{(page) => (
      <Table<Folder> label={t("folders")} items={[...page.items].sort((a, b) => b.bytes - a.bytes).slice(0, kMost)} keyOf={(one) => one.name} columns={[
        { word: "folder", main: true, cell: (one) => <span class="title break">{nameOf(one)}</span> },
        { word: "mails", class: "num", cell: (one) => number(one.messages) },
        { word: "unread", class: "num", cell: (one) => number(one.unseen) },
        { word: "size", class: "num", cell: (one) => size(one.bytes) },
      ]} />
    )}</Shown>
  );
}
