// Numbers, sizes and times in the reader's language. Sizes are decimal (kB, MB, GB).
import { locale } from "./words";

export const number = (value: number): string => new Intl.NumberFormat(locale()).format(value);

/** A count for the words: with "+" when there are more than were counted. */
export const atLeast = (count: number, isMore: boolean): number | string => (isMore ? `${number(count)}+` : count);

export function size(bytes: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    ++unit;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  // WHY no grouping: in a field "9,007 TB" would mean nine.
  return new Intl.NumberFormat(locale(), { style: "unit", unit: units[unit]!, unitDisplay: unit === 0 ? "long" : "short", maximumFractionDigits: digits, useGrouping: false }).format(value);
}

export const exactTime = (time: string | number): string =>
  new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "medium" }).format(new Date(time));

const isSameDay = (a: Date, b: Date): boolean => a.toDateString() === b.toDateString();

/** The time today, the day before. */
export function shortTime(time: string, now = new Date()): string {
  const date = new Date(time);
  if (isSameDay(date, now)) return new Intl.DateTimeFormat(locale(), { timeStyle: "medium" }).format(date);
  const year = date.getFullYear() === now.getFullYear() ? {} : ({ year: "numeric" } as const);
  return new Intl.DateTimeFormat(locale(), { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", ...year }).format(date);
}

/** "in 31 minutes", "2 hours ago". */
export function relative(time: string | number, now = Date.now()): string {
  const seconds = (new Date(time).getTime() - now) / 1000;
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const [unit, length] = steps.find(([, step]) => Math.abs(seconds) >= step) ?? ["second", 1];
  return new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(Math.round(seconds / length), unit);
}

/** "41 days". */
export function duration(seconds: number): string {
  const steps: [string, number][] = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const [unit, length] = steps.find(([, step]) => seconds >= step) ?? ["second", 1];
  return new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "long" }).format(Math.floor(seconds / length));
}

/** Two letters for an address. */
export function initials(address: string): string {
  const parts = address.split("@")[0]!.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const letters = parts.length > 1 ? [...parts[0]!][0]! + [...parts[1]!][0]! : [...(parts[0] ?? "?")].slice(0, 2).join("");
  return letters.toUpperCase();
}

/** What "20 GB", "500 MB", "512 bytes" or "0" mean in bytes; undefined when it is none of these. */
export function parseSize(text: string): number | undefined {
  const match = /^\s*(\d{1,9}(?:[.,]\d{1,3})?)\s*(?:([kmgt]?)b?|bytes?)\s*$/i.exec(text);
  if (!match) return undefined;
  return Math.round(Number(match[1]!.replace(",", ".")) * 1000 ** ["", "k", "m", "g", "t"].indexOf((match[2] ?? "").toLowerCase()));
}

/** "Firefox, Linux" from what a browser calls itself; a guess, the whole is shown on hover. */
export function browserOf(agent: string): string {
  const name = /\b(Firefox|Edg|OPR|Chromium|Chrome|Safari)\//.exec(agent)?.[1] ?? "";
  const system = /\b(Android|iPhone|iPad|Windows|Mac OS X|Linux)\b/.exec(agent)?.[1] ?? "";
  const known = { Edg: "Edge", OPR: "Opera" }[name] ?? name;
  return [known, system === "Mac OS X" ? "macOS" : system].filter(Boolean).join(", ") || agent;
}
