// Why mail waits or came back, in words.
import type { Word } from "../words";

/** A guess at why, from the enhanced code or the words of the other side; empty when there is none. RFC 3463. */
export function reasonOf(reply: string): Word | undefined {
  const code = /\b[245]\.(\d{1,3}\.\d{1,3})\b/.exec(reply)?.[1];
  if (/gr[ea]y-?list/i.test(reply)) return "reason.greylist";
  if (code === "2.2") return "reason.full";
  if (code === "1.1" || code === "1.10") return "reason.no-mailbox";
  if (code === "1.2") return "reason.no-domain";
  if (code === "3.4" || code === "2.3") return "reason.too-large";
  if (code?.startsWith("7.")) return "reason.policy";
  if (code === "4.1" || /refused|timed out|timeout|unreachable|connect/i.test(reply)) return "reason.no-answer";
  return undefined;
}
