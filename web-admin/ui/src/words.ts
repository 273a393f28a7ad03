// The panel's words in three languages. English is the key and the fallback of none: every language has every word (test/words.test.ts).
// {name} is filled from the values; with a value n, `one|other` picks by the language's plural rule.
import type { words as english } from "./words/en";

export type Word = keyof typeof english & string;
export type Language = "en" | "de" | "nb";
export const languages: Record<Language, string> = { en: "English", de: "Deutsch", nb: "Norsk bokmål" };
// WHY: one language is loaded; the other two cost nothing.
const load: Record<Language, () => Promise<{ words: Record<Word, string> }>> = {
  en: () => import("./words/en"),
  de: () => import("./words/de"),
  nb: () => import("./words/nb"),
};

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
export const language = (): Language => current;
export const locale = (): string => (current === "en" ? "en-GB" : current === "de" ? "de-DE" : "nb-NO");
export async function setLanguage(to: Language): Promise<void> {
  words = (await load[to]()).words;
  current = to;
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
