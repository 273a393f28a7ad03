// Limits as people write them into fields.
import { parseSize, size } from "../format";

/** A number, "" for none; undefined when it is neither. */
export function parseLimit(text: string): number | null | undefined {
  if (text.trim() === "") return null;
  const value = /^\d{1,10}$/.test(text.trim()) ? Number(text) : Number.NaN;
  return value <= 4_294_967_295 ? value : undefined;
}

/** Days that mail is kept, "" for `none`; undefined when it is neither. */
export function parseDays<None>(text: string, none: None): number | None | undefined {
  if (text.trim() === "") return none;
  return /^\d{1,5}$/.test(text.trim()) && Number(text) <= 36500 ? Number(text) : undefined;
}

/** A size as it is written into a field; empty for 0. */
export const sizeText = (bytes: number): string => (bytes ? size(bytes).replace(/[\u00a0\u202f]/g, " ") : "");

/** What a field of sizes means in bytes, 0 when it is empty; undefined when it is no size. WHY `before`: the field shows a rounded size, and untouched it means what is there. */
export const sizeIn = (field: string, before: number): number | undefined => (field.trim() === "" ? 0 : field === sizeText(before) ? before : parseSize(field));
