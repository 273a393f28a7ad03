// What the server says is known in the other languages, and the sentences known are the server's own.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { translate } from "../src/said";
import { codes, said } from "../src/words/said";

const folders = ["web-admin", "store", "core/main", "core/sasl", "core/mail", "core/mailauth"];
const source = folders.flatMap((folder) => readdirSync(`../../${folder}`).filter((name) => /\.(cc|h)$/.test(name)).map((name) => readFileSync(`../../${folder}/${name}`, "utf8"))).join("\n").replaceAll(/"\s*\n\s*"/g, "");

/** What stands between blanks; the server puts some sentences together. */
const piecesOf = (sentence: string): string[] => sentence.split(/\{[ab]\}| must be /).map((part) => part.trim().replace(/[.:]$/, "")).filter((part) => part.length >= 4);

test("every sentence that is translated is one of the server's", () => {
  for (const [name, texts] of Object.entries(said)) {
    const foreign = Object.keys(texts).filter((sentence) => !piecesOf(sentence).every((piece) => source.includes(piece)));
    assert.deepEqual(foreign, [], name);
  }
});

test("languages have the same sentences and blanks, and words for every code", () => {
  const blanks = (text: string): string[] => [...text.matchAll(/\{[ab]\}/g)].map((match) => match[0]).sort();
  assert.deepEqual(Object.keys(said.nb), Object.keys(said.de));
  for (const texts of Object.values(said)) {
    for (const [sentence, text] of Object.entries(texts)) assert.deepEqual(blanks(text), blanks(sentence), sentence);
  }
  const used = [...source.matchAll(/problem\([^;]*?"((?:passkey|factor)\.[a-z_]+)"\)/g)].map((match) => match[1]!);
  assert.ok(used.length >= 4);
  for (const [name, texts] of Object.entries(codes)) assert.deepEqual([...new Set(used)].filter((code) => !(code in texts)), [], name);
});

test("blanks carry what the server filled in, as text", () => {
  const known = { "the certificate is not for {a} but for {b}": "gilt für {b}, nicht für {a}", "there is no user {a}": "kein Postfach {a}" };
  assert.equal(translate("the certificate is not for a.test but for b.test", known), "gilt für b.test, nicht für a.test");
  assert.equal(translate("there is no user $&<b>{a}", known), "kein Postfach $&<b>{a}");
  assert.equal(translate("550 no such user", known), "550 no such user");
});
