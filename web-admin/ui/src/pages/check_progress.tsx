// How far a check is, as the server tells it: questions that have an answer. It is asked as long as this is shown.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "../api";
import type { CheckProgress } from "../../generated/api";
import { t } from "../words";

const kLook = 400;  // ms between two looks

export function Progress({ path, about }: { path: readonly string[]; about?: string }): JSX.Element {
  const [seen, setSeen] = useState<CheckProgress>();
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    // What it cannot tell is no fault of the check: it goes on without.
    const look = (): void => void get<CheckProgress>([...path], {}, abort.signal).then(setSeen, () => undefined).then(() => {
      if (!abort.signal.aborted) timer = setTimeout(look, kLook);
    });
    timer = setTimeout(look, kLook);
    return () => { abort.abort(); clearTimeout(timer); };
  }, [path.join("/")]);
  const known = seen?.running && seen.all > 0 ? seen : undefined;
  return (
    <div class="stack tight small muted" role="status">{about && <p>{about}</p>}
      <progress class="progress" aria-label={t("checking")} {...(known ? { max: known.all, value: known.done } : {})} />
      <p>{known ? t("answers.done", { n: known.all, done: known.done }) : t("checking")}</p></div>
  );
}
