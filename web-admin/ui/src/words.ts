// The panel's words in three languages: words/LANGUAGE/AREA.ts. Every language has every word (test/words_test.ts), so English is the key
// and the fallback of none. {name} is filled from the values; with a value n, `one|other` picks by the language's plural rule.
import type { words as account } from "./words/en/account";
import type { words as addresses } from "./words/en/addresses";
import type { words as base } from "./words/en/base";
import type { words as certificates } from "./words/en/certificates";
import type { words as common } from "./words/en/common";
import type { words as delivery } from "./words/en/delivery";
import type { words as device } from "./words/en/device";
import type { words as dns } from "./words/en/dns";
import type { words as domain } from "./words/en/domain";
import type { words as health } from "./words/en/health";
import type { words as hold } from "./words/en/hold";
import type { words as mail } from "./words/en/mail";
import type { words as overview } from "./words/en/overview";
import type { words as own } from "./words/en/own";
import type { words as server } from "./words/en/server";
import type { words as setup } from "./words/en/setup";
import areas from "./words/areas.json";

type All = typeof account & typeof addresses & typeof base & typeof certificates & typeof common & typeof delivery & typeof device & typeof dns & typeof domain
  & typeof health & typeof hold & typeof mail & typeof overview & typeof own & typeof server & typeof setup;
export type Word = keyof All & string;
export type Page = keyof typeof areas;
export type Texts = Readonly<Record<string, string>>;
export type Language = "en" | "de" | "nb";
export const languages: Record<Language, string> = { en: "English", de: "Deutsch", nb: "Norsk bokmål" };

/** A file of words. WHY by language and area: a page waits for no words but its own. */
export const wordFile = <T>(to: Language, file: string): Promise<T> => import(`./words/${to}/${file}.ts`) as Promise<T>;

export function chooseLanguage(saved: string | null, wished: readonly string[]): Language {
  if (saved && Object.hasOwn(languages, saved)) return saved as Language;
  for (const wish of wished) {
    const short = wish.toLowerCase().split("-")[0]!;
    if (short === "no" || short === "nn") return "nb";
    if (Object.hasOwn(languages, short)) return short as Language;
  }
  return "en";
}

let current: Language = "en";
let words: Partial<Record<Word, string>> = {};
const wanted = new Set(["base"]);
const known = new Map<string, Texts>();
export const language = (): Language => current;
export const locale = (): string => (current === "en" ? "en-GB" : current === "de" ? "de-DE" : "nb-NO");

const lacking = (): string[] => [...wanted].filter((area) => !known.has(`${current} ${area}`));
const load = (to: Language, some: readonly string[]): Promise<unknown> =>
  Promise.all(some.map(async (area) => known.set(`${to} ${area}`, (await wordFile<{ words: Texts }>(to, area)).words)));

/** The words of all pages seen so far, in another language. */
export async function setLanguage(to: Language): Promise<void> {
  await load(to, [...wanted]);
  current = to;
  await complete();
}

/** Until they are there, a page cannot speak. */
export function wordsFor(page: Page): Promise<void> {
  for (const area of areas[page]) wanted.add(area);
  return complete();
}

// WHY a loop: the language may be another one when the words have come.
async function complete(): Promise<void> {
  for (let some = lacking(); some.length; some = lacking()) await load(current, some);
  words = Object.assign({}, ...[...wanted].map((area) => known.get(`${current} ${area}`))) as typeof words;
}

export function fill(text: string, values: Record<string, string | number>, plural: string): string {
  let chosen = text;
  if (text.includes("|")) {
    const [one, other] = text.split("|") as [string, string];
    const n = Number(values["n"]);
    chosen = (new Intl.PluralRules(plural).select(n) === "one" ? one : other) ?? text;
  }
  return chosen.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : typeof value === "number" ? new Intl.NumberFormat(plural).format(value) : value;
  });
}

export const t = (word: Word, values: Record<string, string | number> = {}): string => fill(words[word] ?? word, values, locale());
