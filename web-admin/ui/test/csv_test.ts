// Files of lists: what comes out goes in again, what spreadsheets write is understood, and errands tell what failed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { goThrough } from "../src/bulk";
import { formatCsv, listOf, parseCsv, recordsOf } from "../src/csv";
import { isYes, readRows, sizeMember } from "../src/pages/transfer";

test("what goes out comes in again", () => {
  const rows = [["address", "targets"], ["@example.org", "a@b c@d"], ["=1+1", 'say "hi", you'], [" x ", "two\r\nlines"], ["'q", ""]];
  assert.deepEqual(parseCsv(formatCsv(rows)), rows);
  assert.match(formatCsv([["=cmd"]]), /^'=cmd\r\n$/);
});

test("files of spreadsheets are understood", () => {
  assert.deepEqual(parseCsv("\uFEFFa;b\n1;2\n\n3;4"), [["a", "b"], ["1", "2"], ["3", "4"]]);
  assert.deepEqual(parseCsv("a\tb\r1\t2\r"), [["a", "b"], ["1", "2"]]);
  assert.deepEqual(parseCsv('a,b\n"1\n2","x""y"'), [["a", "b"], ["1\n2", 'x"y']]);
  assert.deepEqual(parseCsv('a,b\n"never closed,2'), [["a", "b"], ["never closed,2"]]);
  assert.deepEqual(parseCsv(""), []);
});

test("columns go by name and lines that cannot be meant are told", () => {
  assert.equal(recordsOf([["name"], ["x"]], "address"), undefined);
  const kind = { columns: ["address"], body: (row: Record<string, string>) => (row["address"]?.includes("@") ? { address: row["address"] } : undefined) };
  const read = readRows("Password, ADDRESS \np, a@b \n,nobody\n,c@d", kind);
  assert.deepEqual([...read!.bodies.keys()], ["a@b", "c@d"]);
  assert.deepEqual(read!.bad, [3]);
  assert.equal(readRows("name\nx", kind), undefined);
});

test("fields have one meaning", () => {
  assert.deepEqual(listOf(" a@b, c@d;e@f "), ["a@b", "c@d", "e@f"]);
  assert.deepEqual(["1", "true", "JA", "no", ""].map(isYes), [true, true, true, false, false]);
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
