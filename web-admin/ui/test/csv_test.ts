// Files of lists: what comes out goes in again, what spreadsheets write is understood, and errands tell what failed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { goThrough } from "../src/bulk";
import { formatCsv, listOf, parseCsv, recordsOf, textOf } from "../src/csv";
import { kFile } from "../src/pages/mailboxes";
import { readRows, sizeMember, yesOrNo } from "../src/pages/transfer";

const fieldsOf = (text: string): string[][] => parseCsv(text).map(({ fields }) => fields);

test("what goes out comes in again", () => {
  const rows = [["address", "targets"], ["@example.org", "a@b c@d"], ["=1+1", 'say "hi", you'], [" x ", "two\r\nlines"], ["'q", ""]];
  assert.deepEqual(fieldsOf(formatCsv(rows)), rows);
  assert.match(formatCsv([["=cmd"]]), /^'=cmd\r\n$/);
});

test("files of spreadsheets are understood", () => {
  assert.deepEqual(fieldsOf("\uFEFFa;b\n1;2\n\n3;4"), [["a", "b"], ["1", "2"], ["3", "4"]]);
  assert.deepEqual(fieldsOf("a\tb\r1\t2\r"), [["a", "b"], ["1", "2"]]);
  assert.deepEqual(fieldsOf('a,b\n"1\n2","x""y"'), [["a", "b"], ["1\n2", 'x"y']]);
  assert.deepEqual(fieldsOf('a,b\n"never closed,2'), [["a", "b"], ["never closed,2"]]);
  assert.deepEqual(fieldsOf(""), []);
});

test("columns go by name and lines that cannot be meant are told", () => {
  assert.equal(recordsOf(parseCsv("name\nx"), "address"), undefined);
  const kind = { columns: ["address"], body: (row: Record<string, string>) => (row["address"]?.includes("@") ? { address: row["address"] } : undefined) };
  const read = readRows("Password, ADDRESS \np, a@b \n,nobody\n,c@d", kind);
  assert.deepEqual([...read!.bodies.keys()], ["a@b", "c@d"]);
  assert.deepEqual(read!.bad, [3]);
  assert.equal(readRows("name\nx", kind), undefined);
});

test("a line is bad when a word in it has no meaning, or its address was there before", () => {
  const read = readRows("address;forward_to;keeps_copy;disabled\n\na@b;x@y;WAHR;\r\n\"c@d\";\"p@q\nr@s\";;FALSCH\ne@f;;;perhaps\r\n\r\nA@B;;;\ng@h;;;SANN", kFile as never);
  assert.deepEqual([...read!.bodies.values()], [
    { address: "a@b", forward_to: ["x@y"], keeps_copy: true }, { address: "c@d", forward_to: ["p@q", "r@s"], keeps_copy: false }, { address: "g@h", disabled: true }]);
  assert.deepEqual(read!.bad, [6, 8]);
});

test("a file is read in the character set it has", () => {
  assert.equal(textOf(new TextEncoder().encode("\uFEFFBjørn")), "Bjørn");
  assert.equal(textOf(Uint8Array.of(0x42, 0x6a, 0xf8, 0x72, 0x6e)), "Bjørn");
});

test("fields have one meaning", () => {
  assert.deepEqual(listOf(" a@b, c@d;e@f "), ["a@b", "c@d", "e@f"]);
  for (const yes of ["1", "true", "yes", "JA", "WAHR", "SANN", "x"]) assert.equal(yesOrNo(yes), true, yes);
  for (const no of ["0", "FALSE", "no", "Nein", "nei", "FALSCH", "USANN", "", undefined]) assert.equal(yesOrNo(no), false, no);
  for (const other of ["maybe", "oui", "10", "yes please"]) assert.equal(yesOrNo(other), undefined, other);
  assert.deepEqual(sizeMember("q", "2 GB"), { q: 2e9 });
  assert.deepEqual(sizeMember("q", ""), {});
  assert.equal(sizeMember("q", "much"), undefined);
});

test("an errand goes to everybody, tells who failed, and stops when told", async () => {
  const names = Array.from({ length: 20 }, (_, i) => String(i));
  const seen = new Set<string>();
  let last = 0;
  const one = async (name: string): Promise<void> => {
    seen.add(name);
    if (name === "7") throw new Error("no");
  };
  const failed = await goThrough({ title: "", names, one }, new AbortController().signal, (done) => { last = done; });
  assert.deepEqual([seen.size, last, failed.map((f) => f.name)], [20, 20, ["7"]]);
  const abort = new AbortController();
  let count = 0;
  await goThrough({ title: "", names, one: async () => { if (++count === 4) abort.abort(); } }, abort.signal, () => undefined);
  assert.ok(count < 10);
});
