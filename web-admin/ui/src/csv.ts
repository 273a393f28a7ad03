// CSV in and out: RFC 4180, and what spreadsheets make of it (semicolons or tabs between fields, a byte order mark, LF alone).
// A field that a spreadsheet would calculate (it begins with = + - @) is written with an apostrophe before it, which is taken off again.

const kFormula = /^[=+\-@\t\r]/;

export function formatCsv(rows: readonly (readonly string[])[]): string {
  const field = (text: string): string => {
    const safe = kFormula.test(text) ? `'${text}` : text;
    return /[",\r\n]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return rows.map((row) => `${row.map(field).join(",")}\r\n`).join("");
}

/** The separator that the first line has most of. */
function separatorOf(text: string): string {
  const first = text.slice(0, text.search(/[\r\n]|$/));
  const count = (one: string): number => first.split(one).length;
  return [";", "\t"].reduce((best, one) => (count(one) > count(best) ? one : best), ",");
}

const plain = (field: string): string => (field.startsWith("'") && kFormula.test(field.slice(1)) ? field.slice(1) : field);

/** `line`: where the row begins in the file, from 1. */
export interface CsvRow { line: number; fields: string[] }

/** Spreadsheets of Windows write its old character set: what is not UTF-8 is that. */
export function textOf(bytes: ArrayBuffer | Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** The rows; empty lines are none. Text after a closing quote is taken as it stands: a person sees it in the preview. */
export function parseCsv(source: string): CsvRow[] {
  const text = source.replace(/^\uFEFF/, "");
  const separator = separatorOf(text);
  const rows: CsvRow[] = [];
  let row: string[] = [];
  let field = "";
  let isQuoted = false;
  let line = 1;
  let begin = 1;
  const endRow = (): void => {
    row.push(plain(field));
    if (row.length > 1 || row[0] !== "") rows.push({ line: begin, fields: row });
    row = [];
    field = "";
    begin = line;
  };
  for (let at = 0; at < text.length; ++at) {
    const c = text[at]!;
    if (c === "\n" || (c === "\r" && text[at + 1] !== "\n")) ++line;
    if (isQuoted) {
      if (c !== '"') field += c;
      else if (text[at + 1] === '"') field += text[++at];
      else isQuoted = false;
    } else if (c === '"' && field === "") isQuoted = true;
    else if (c === separator) {
      row.push(plain(field));
      field = "";
    } else if (c === "\n" || c === "\r") {
      if (c === "\r" && text[at + 1] === "\n") {
        ++at;
        ++line;
      }
      endRow();
    } else field += c;
  }
  endRow();
  return rows;
}

/** Rows by the names in the first one; undefined when the column `needed` is not among them. */
export function recordsOf(rows: readonly CsvRow[], needed: string): { line: number; row: Record<string, string> }[] | undefined {
  const names = rows[0]?.fields.map((name) => name.trim().toLowerCase()) ?? [];
  if (!names.includes(needed)) return undefined;
  return rows.slice(1).map(({ line, fields }) => ({ line, row: Object.fromEntries(names.map((name, at) => [name, (fields[at] ?? "").trim()])) }));
}

/** Addresses within one field: separated by spaces, commas or lines. */
export const listOf = (text: string): string[] => text.split(/[\s,;]+/).filter(Boolean);
