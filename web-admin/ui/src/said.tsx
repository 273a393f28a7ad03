// Sentences of the server in the reader's language. The server speaks English; what it says that is fixed is known (words/*/said.ts,
// words/*/records.ts), what is not is shown as it is: replies of other servers, names, what a library says.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { language, type Texts, wordFile } from "./words";

interface Sentences { codes: Texts; said: Texts }

const kBlank = /\\\{([ab])\\\}/g;  // as escaped below
const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** The sentence in the other language; as it is when nobody knows it. */
export function translate(text: string, said: Texts): string {
  if (Object.hasOwn(said, text)) return said[text]!;
  for (const [pattern, translation] of Object.entries(said)) {
    if (!pattern.includes("{")) continue;
    const blanks: string[] = [];
    const source = escaped(pattern).replaceAll(kBlank, (_, name: string) => (blanks.push(name), "(.+?)"));
    const found = new RegExp(`^${source}$`, "s").exec(text);
    if (found) return translation.replaceAll(/\{([ab])\}/g, (_, name: string) => found[blanks.indexOf(name) + 1] ?? "");
  }
  return text;
}

/** What the server said, by its code or its text. As it is until the words have come. */
export function useSaid(): (text: string, code?: string) => string {
  const now = language();
  const [known, setKnown] = useState<Sentences>();
  useEffect(() => {
    void Promise.all([wordFile<Sentences>(now, "said"), now === "en" ? undefined : wordFile<{ sentences: Texts }>(now, "records")])
      .then(([{ codes, said }, records]) => setKnown({ codes, said: { ...records?.sentences, ...said } }));
  }, [now]);
  return (text, code = "") => known?.codes[code] ?? (known ? translate(text, known.said) : text);
}

export function Said({ text }: { text: string }): JSX.Element {
  return <>{useSaid()(text)}</>;
}
