// An event of the trace in words. Members depend on the event and come from the store: everything is checked before it is used.
import type { Event } from "../../generated/api";
import type { IconName } from "../icons";
import type { Tone } from "../parts";
import { t, type Word } from "../words";
import { reasonOf } from "./reason";

export interface Told { tone: Tone; icon: IconName; what: string; about: string; exact: string }

type Members = Record<string, unknown>;
export const text = (event: Event, member: string): string => {
  const value = (event as Members)[member];
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
};

/** Of "accepted" the recipients are objects, of all others addresses. */
export function recipientsOf(event: Event): string[] {
  const value = (event as Members)["recipients"];
  if (!Array.isArray(value)) return [];
  return value.map((one: unknown) => (typeof one === "string" ? one : typeof one === "object" && one !== null ? String((one as Members)["recipient"] ?? "") : "")).filter(Boolean);
}

/** Whom it is about: recipients, or all of a message at one domain. */
const aboutOf = (event: Event): string => recipientsOf(event).join(", ") || (text(event, "domain") && `@${text(event, "domain")}`);

const known = new Map<string, readonly [Tone, IconName, Word]>(Object.entries({
  accepted: ["ok", "s-ok", "event.accepted"], delivered: ["ok", "s-ok", "event.delivered"], relayed: ["ok", "s-ok", "event.relayed"],
  queued: ["info", "s-wait", "event.queued"], deferred: ["warn", "s-wait", "event.deferred"], failed: ["bad", "s-bad", "event.failed"], expired: ["bad", "s-bad", "event.expired"],
  held: ["warn", "s-warn", "event.held"], released: ["ok", "s-ok", "event.released"], retried: ["info", "refresh", "event.retried"], removed: ["off", "s-off", "event.removed"],
  bounced: ["bad", "s-bad", "event.bounced"], rerouted: ["info", "route", "event.rerouted"], report: ["info", "send", "event.report"],
}));

export function tell(event: Event): Told {
  const [tone, icon, word] = known.get(text(event, "event")) ?? ["off", "s-unknown", undefined];
  const words = text(event, "reply") || text(event, "detail");
  const reason = reasonOf(words);
  const about = text(event, "event") === "accepted"
    ? [text(event, "login") && t("event.login", { login: text(event, "login") }), text(event, "address") && t("event.from", { address: text(event, "address") }), text(event, "tls") ? t("event.tls", { tls: text(event, "tls") }) : text(event, "address") && t("event.no-tls")]
    : [aboutOf(event), reason && t(reason)];
  const members = Object.entries(event).filter(([name]) => !["time", "event", "recipients", "skipped"].includes(name));
  return { tone, icon, what: word ? t(word) : text(event, "event"), about: about.filter(Boolean).join(" · "), exact: members.map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`).join("\n") };
}

/** What was accepted may have been delivered here, or forwarded, in the same moment: those are steps of their own. */
export function stepsOf(event: Event): Told[] {
  const told = tell(event);
  if (text(event, "event") !== "accepted") return [told];
  const list = (event as Members)["recipients"];
  const each = Array.isArray(list) ? (list as unknown[]).filter((one): one is Members => typeof one === "object" && one !== null) : [];
  const word = (one: Members, member: string): string => (typeof one[member] === "string" ? one[member] : "");
  const here = each.filter((one) => word(one, "event") === "delivered").map((one) => word(one, "recipient"));
  const forwarded = each.filter((one) => word(one, "via")).map((one) => `${word(one, "via")} → ${word(one, "recipient")}`);
  const steps = [told];
  if (here.length > 0) steps.push({ tone: "ok", icon: "s-ok", what: t("event.delivered"), about: t("event.in-inbox", { people: here.join(", ") }), exact: "" });
  if (forwarded.length > 0) steps.push({ tone: "info", icon: "s-next", what: t("event.forwarded"), about: forwarded.join(", "), exact: "" });
  const skipped = skippedOf(event);
  if (skipped.length > 0) steps.push({ tone: "warn", icon: "s-warn", what: t("event.skipped"), about: skipped.join(" · "), exact: "" });
  return steps;
}

const reasons = new Map<string, Word>(Object.entries({ disabled: "event.skipped.disabled", full: "event.skipped.full", unknown: "event.skipped.unknown" }));
/** Members of aliases who got nothing while others did, and why. */
function skippedOf(event: Event): string[] {
  const list = (event as Members)["skipped"];
  const each = Array.isArray(list) ? (list as unknown[]).filter((one): one is Members => typeof one === "object" && one !== null) : [];
  return each.map(({ address, reason }) => {
    const facts = { address: typeof address === "string" ? address : "" };
    const word = typeof reason === "string" ? reasons.get(reason) : undefined;
    return word ? t(word, facts) : facts.address;
  }).filter(Boolean);
}

type Fate = "arrived" | "waiting" | "failed" | "removed";
const fates: Record<string, Fate> = {
  delivered: "arrived", relayed: "arrived", queued: "waiting", deferred: "waiting", held: "waiting", released: "waiting", retried: "waiting", rerouted: "waiting",
  failed: "failed", expired: "failed", bounced: "failed", removed: "removed",
};

/** What became of each recipient so far, from the events in order. */
export function fatesOf(events: readonly Event[]): Map<string, Fate> {
  const all = new Map<string, Fate>();
  for (const event of events) {
    const name = text(event, "event");
    if (name === "accepted") {
      const list = (event as Members)["recipients"];
      for (const one of Array.isArray(list) ? (list as Members[]) : []) all.set(String(one?.["recipient"] ?? ""), fates[String(one?.["event"] ?? "")] ?? "waiting");
    } else if (fates[name]) {
      const domain = text(event, "domain");
      const there = domain ? [...all.keys()].filter((one) => one.toLowerCase().endsWith(`@${domain}`)) : [];
      for (const one of [...recipientsOf(event), ...there]) all.set(one, fates[name]);
    }
  }
  return all;
}

/** The whole story in one line: where the mail is now. */
export function outcomeOf(events: readonly Event[]): Pick<Told, "tone" | "icon" | "what"> {
  const all = [...fatesOf(events).values()];
  const count = (fate: Fate): number => all.filter((one) => one === fate).length;
  const arrived = count("arrived");
  if (count("waiting") > 0) return arrived > 0 ? { tone: "warn", icon: "s-wait", what: t("life.some-wait", { arrived, all: all.length }) } : { tone: "warn", icon: "s-wait", what: t("life.waiting") };
  if (all.length > 0 && arrived === all.length) return { tone: "ok", icon: "s-ok", what: t("event.delivered") };
  if (arrived > 0) return { tone: "bad", icon: "s-bad", what: t("life.some", { arrived, all: all.length }) };
  if (count("failed") > 0) return { tone: "bad", icon: "s-bad", what: t("life.failed") };
  if (count("removed") > 0) return { tone: "off", icon: "s-off", what: t("event.removed") };
  const last = events.at(-1);
  return last ? tell(last) : { tone: "off", icon: "s-unknown", what: "" };
}
