// Every language has every word with the same blanks and plural forms, and every word is used.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { chooseLanguage, fill } from "../src/words";
import { deeds } from "../src/words/audit";
import { sentences } from "../src/words/dns";
import { words as de } from "../src/words/de";
import { words as en } from "../src/words/en";
import { words as nb } from "../src/words/nb";
import { meanings } from "../src/words/settings";

const blanks = (text: string): string[] => [...new Set([...text.matchAll(/\{\w+\}/g)].map((match) => match[0]))].sort();

test("languages have the same words, blanks and plural forms", () => {
  for (const [name, other] of Object.entries({ de, nb }) as [string, Record<string, string>][]) {
    assert.deepEqual(Object.keys(other).sort(), Object.keys(en).sort(), name);
    for (const [word, text] of Object.entries(en)) {
      assert.deepEqual(blanks(other[word]!).filter((one) => one !== "{n}"), blanks(text).filter((one) => one !== "{n}"), `${name} ${word}`);
      assert.equal(other[word]!.split("|").length, text.split("|").length, `${name} ${word}`);
    }
  }
});

test("no word is in two files of a language", () => {
  for (const name of ["de", "en", "nb"]) {
    const files = readdirSync("src/words").filter((file) => file === `${name}.ts` || file.startsWith(`${name}_`));
    const all = files.flatMap((file) => [...readFileSync(`src/words/${file}`, "utf8").matchAll(/^ {2}"([^"]+)":/gm)].map((match) => match[1]!));
    assert.deepEqual(all.filter((word, at) => all.indexOf(word) !== at), [], name);
  }
});

test("no word is unused", () => {
  const files = readdirSync("src", { recursive: true }).map(String).filter((name) => /\.tsx?$/.test(name) && !name.startsWith("words/"));
  const source = files.map((name) => readFileSync(`src/${name}`, "utf8")).join("\n");
  const families = /^(check|purpose|importance|state|kind|key|keys|did|do|ask|users|service|certificate|device|verdict|span|passed|warning|grant|writers|sort)\.|^setup\.(dns|domain)$/;
  const unused = Object.keys(en).filter((word) => !source.includes(`"${word}"`) && !families.test(word) && word !== "user" && word !== "server_admin" && word !== "domain_admin");
  assert.deepEqual(unused, []);
});

test("every setting of the server has its meaning in every language", () => {
  const table = readFileSync("../../store/run_time_settings.cc", "utf8");
  const settings = [...table.matchAll(/RunTimeSetting\{"([a-z_.0-9]+)"/g)].map((match) => match[1]!).sort();
  assert.ok(settings.length > 30);
  for (const [name, texts] of Object.entries(meanings)) assert.deepEqual(Object.keys(texts).sort(), settings, name);
});

test("the fixed sentences about DNS records are the server's own", () => {
  const folder = "../../core/mailauth";
  const checks = readdirSync(folder).filter((name) => /^dns_check.*\.cc$/.test(name)).map((name) => readFileSync(`${folder}/${name}`, "utf8"));
  const publication = readFileSync("../../core/dns/publication.cc", "utf8");
  const source = [publication, ...checks].join("\n").replaceAll(/"\s*\n\s*"/g, "");
  for (const [name, texts] of Object.entries(sentences)) {
    assert.deepEqual(Object.keys(texts).filter((sentence) => !source.includes(`"${sentence}"`)), [], name);
    assert.deepEqual(Object.keys(texts), Object.keys(sentences.de), name);
  }
  const whys = [...publication.matchAll(/"([A-Z][a-z][^"]{20,}\.)"/g)].map((match) => match[1]!);
  assert.ok(whys.length > 14);
  assert.deepEqual(whys.filter((why) => !(why in sentences.de)), []);
});

test("whatever an admin can do has words", () => {
  const done: string[] = [];
  let path = "", method = "";
  for (const line of readFileSync("../openapi.yaml", "utf8").split("\n")) {
    path = /^ {2}\/api\/v1\/(\S+):$/.exec(line)?.[1] ?? (/^ {2}\S/.test(line) ? "" : path);
    method = /^ {4}(\w+):$/.exec(line)?.[1] ?? method;
    const scope = /^ {6}x-scope: (\w+)/.exec(line)?.[1] ?? "";
    if (!path || !["admin", "local", "setup"].includes(scope) || !["post", "put", "patch", "delete"].includes(method)) continue;
    done.push(`${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, "*")}`);
  }
  assert.ok(done.length > 30);
  for (const [name, texts] of Object.entries(deeds)) {
    assert.deepEqual(done.filter((one) => !(one in texts)), [], name);
    assert.deepEqual(Object.keys(texts), Object.keys(deeds.en), name);
    for (const [deed, text] of Object.entries(texts)) assert.deepEqual(blanks(text), blanks(deeds.en[deed]!), `${name} ${deed}`);
  }
});

test("blanks are filled as they are, once", () => {
  assert.equal(fill("Delete {name}?", { name: "{name}<b>" }, "en"), "Delete {name}<b>?");
  assert.equal(fill("{n} mail|{n} mails", { n: 1 }, "en"), "1 mail");
  assert.equal(fill("{n} mail|{n} mails", { n: 1200 }, "en"), "1,200 mails");
});

test("the language is the chosen one, then the browser's, then English", () => {
  assert.equal(chooseLanguage("de", ["nb"]), "de");
  assert.equal(chooseLanguage("toString", ["no-NO"]), "nb");
  assert.equal(chooseLanguage(null, ["fr", "de-AT"]), "de");
  assert.equal(chooseLanguage(null, []), "en");
});
