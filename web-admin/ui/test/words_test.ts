// Every language has every word with the same blanks and plural forms, every word is used, and every page has the words it says.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { chooseLanguage, fill, type Language, languages, setLanguage, t, type Texts, wordFile, wordsFor } from "../src/words";
import areas from "../src/words/areas.json";

const blanks = (text: string): string[] => [...new Set([...text.matchAll(/\{\w+\}/g)].map((match) => match[0]))].sort();
const isWords = (file: string): boolean => !["deeds.ts", "meanings.ts", "records.ts", "said.ts"].includes(file);
const filesOf = (language: string): string[] => readdirSync(`src/words/${language}`).filter(isWords).sort();
/** The words of a language by area. */
async function wordsOf(language: Language): Promise<Map<string, Texts>> {
  const all = filesOf(language).map(async (file) => [file.replace(".ts", ""), (await wordFile<{ words: Texts }>(language, file.replace(".ts", ""))).words] as const);
  return new Map(await Promise.all(all));
}
const allOf = (areasOf: Map<string, Texts>): Record<string, string> => Object.assign({}, ...areasOf.values()) as Record<string, string>;
const en = await wordsOf("en"), english = allOf(en);
const sourceFiles = readdirSync("src", { recursive: true }).map(String).filter((name) => /\.tsx?$/.test(name) && !name.startsWith("words/"));
const sources = new Map(sourceFiles.map((name) => [name, readFileSync(`src/${name}`, "utf8")]));

test("languages have the same words in the same files, with the same blanks and plural forms", async () => {
  for (const language of ["de", "nb"] as const) {
    const other = await wordsOf(language);
    assert.deepEqual([...other.keys()], [...en.keys()], language);
    for (const [area, words] of other) {
      const of = en.get(area)!;
      assert.deepEqual(Object.keys(words), Object.keys(of), `${language} ${area}`);
      for (const [word, text] of Object.entries(of)) {
        assert.deepEqual(blanks(words[word]!).filter((one) => one !== "{n}"), blanks(text).filter((one) => one !== "{n}"), `${language} ${word}`);
        assert.equal(words[word]!.split("|").length, text.split("|").length, `${language} ${word}`);
      }
    }
  }
});

test("no word is in two files of a language", () => {
  const all = [...en.values()].flatMap((words) => Object.keys(words));
  assert.deepEqual(all.filter((word, at) => all.indexOf(word) !== at), []);
});

/** A source file and what it imports at once. */
function together(name: string, all = new Set<string>()): Set<string> {
  if (all.has(name)) return all;
  all.add(name);
  for (const [, path] of sources.get(name)!.matchAll(/^import (?!type )[^;]*?"(\.[^"]+)";/gm)) {
    const base = join(dirname(name), path!);
    const found = [`${base}.tsx`, `${base}.ts`].find((one) => sources.has(one));
    if (found) together(found, all);
  }
  return all;
}

/** What a file says: words as they stand, and all that begin and end as a template does. */
function saidIn(name: string): string[] {
  const source = sources.get(name)!;
  const whole = [...source.matchAll(/"([^"\n]*)"/g)].map((match) => match[1]!).filter((word) => Object.hasOwn(english, word));
  const templates = [...source.matchAll(/`((?:[\w-]+\.)+)\$\{[^`]*?\}([\w.-]*)`/g)];
  return [...whole, ...templates.flatMap(([, begin, end]) => Object.keys(english).filter((word) => word.startsWith(begin!) && word.endsWith(end!)))];
}

test("every page has the words it says, before it says them", () => {
  const entry = together("main.tsx");
  const areaOf = new Map([...en].flatMap(([area, words]) => Object.keys(words).map((word) => [word, area] as const)));
  const lack = (files: Iterable<string>, has: readonly string[]): string[] => [...files].flatMap((file) => saidIn(file).filter((word) => !has.includes(areaOf.get(word)!)).map((word) => `${file}: ${word}`));
  assert.deepEqual(lack(entry, ["base"]), []);
  const late = [...sources.values()].flatMap((source) => [...source.matchAll(/lazy\("([\w-]+)", \(\) => import\("([^"]+)"\)/g)].map(([, page, path]) => [page!, path!] as const));
  assert.deepEqual([...new Set(late.map(([page]) => page))].sort(), Object.keys(areas).sort());
  for (const [page, path] of late) {
    assert.ok(path.endsWith(`/${page}`), `${page} has the name of its file`);
    const name = existsSync(`src/pages/${page}.tsx`) ? `pages/${page}.tsx` : `${page}.tsx`;
    const files = [...together(name)].filter((file) => !entry.has(file));
    const needs: readonly string[] = areas[page as keyof typeof areas];
    assert.deepEqual(lack(files, ["base", ...needs]), [], page);
    const said = new Set(files.flatMap(saidIn).map((word) => areaOf.get(word)));
    assert.deepEqual(needs.filter((area) => !said.has(area)), [], `${page} loads words that it does not say`);
  }
});

test("a page's words come in the language of now, also when it changes meanwhile", async () => {
  await setLanguage("en");
  assert.equal(t("queue.none"), "queue.none", "not loaded yet");
  const words = wordsFor("queue");
  const change = setLanguage("de");
  await Promise.all([words, change]);
  const german = allOf(await wordsOf("de"));
  assert.equal(t("queue.none"), german["queue.none"]);
  assert.equal(t("cancel"), german["cancel"]);
  await setLanguage("nb");
  assert.equal(t("queue.none"), allOf(await wordsOf("nb"))["queue.none"]);
  assert.deepEqual(Object.keys(languages), ["en", "de", "nb"]);
});

test("no word is unused", () => {
  const roles = ["user", "server_admin", "domain_admin"];  // said as the server names them
  const said = new Set([...roles, ...[...sources.keys()].flatMap(saidIn)]);
  assert.deepEqual(Object.keys(english).filter((word) => !said.has(word)), []);
});

test("every setting of the server has its meaning in every language", async () => {
  const table = readFileSync("../../store/run_time_settings.cc", "utf8");
  const settings = [...table.matchAll(/RunTimeSetting\{"([a-z_.0-9]+)"/g)].map((match) => match[1]!).sort();
  assert.ok(settings.length > 30);
  for (const language of ["de", "nb"] as const) assert.deepEqual(Object.keys((await wordFile<{ meanings: Texts }>(language, "meanings")).meanings).sort(), settings, language);
});

test("the fixed sentences about DNS records are the server's own", async () => {
  const folder = "../../core/mailauth";
  const checks = readdirSync(folder).filter((name) => /^dns_check.*\.cc$/.test(name)).map((name) => readFileSync(`${folder}/${name}`, "utf8"));
  const publication = readFileSync("../../core/dns/publication.cc", "utf8");
  const source = [publication, ...checks].join("\n").replaceAll(/"\s*\n\s*"/g, "");
  const [german, norwegian] = await Promise.all((["de", "nb"] as const).map(async (language) => (await wordFile<{ sentences: Texts }>(language, "records")).sentences)) as [Texts, Texts];
  assert.deepEqual(Object.keys(german).filter((sentence) => !source.includes(`"${sentence}"`)), []);
  assert.deepEqual(Object.keys(norwegian), Object.keys(german));
  const whys = [...publication.matchAll(/"([A-Z][a-z][^"]{20,}\.)"/g)].map((match) => match[1]!);
  assert.ok(whys.length > 14);
  assert.deepEqual(whys.filter((why) => !(why in german)), []);
});

test("whatever an admin can do has words", async () => {
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
  const deedsOf = async (language: Language): Promise<Texts> => (await wordFile<{ deeds: Texts }>(language, "deeds")).deeds;
  const inEnglish = await deedsOf("en");
  assert.deepEqual(done.filter((one) => !(one in inEnglish)), []);
  for (const language of ["de", "nb"] as const) {
    const texts = await deedsOf(language);
    assert.deepEqual(Object.keys(texts), Object.keys(inEnglish), language);
    for (const [deed, text] of Object.entries(texts)) assert.deepEqual(blanks(text), blanks(inEnglish[deed]!), `${language} ${deed}`);
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
