// Searches that look at a part of what is kept at a time.

export interface Part<T> { items: T[]; next: string | null }

/**
 * Asks for parts until `limit` items are there or the end is reached: the server looks at a bounded number of rows for one answer and may
 * find nothing in them. `meanwhile` is told what is there after each part but the last. When the signal is aborted the next call fails.
 */
export async function gather<T>(ask: (after: string | undefined, limit: number) => Promise<Part<T>>, after: string | undefined, limit: number, meanwhile: (found: Part<T>) => void): Promise<Part<T>> {
  const found: Part<T> = { items: [], next: after ?? null };
  for (;;) {
    const part = await ask(found.next ?? undefined, limit - found.items.length);
    found.items = [...found.items, ...part.items];
    found.next = part.next;
    if (!found.next || found.items.length >= limit) return found;
    meanwhile({ ...found });
  }
}

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
/** When a message of this queue id was accepted: microseconds since 1970 above 12 bits of a counter. Nothing when it is none. */
export function timeOfId(id: string): Date | undefined {
  let value = 0n;
  for (const c of id.toLowerCase()) {
    const digit = ALPHABET.indexOf(c);
    if (digit < 0) return undefined;
    value = value * 32n + BigInt(digit);
  }
  const milliseconds = Number(value / 4096n / 1000n);
  return id && milliseconds < 8.64e15 ? new Date(milliseconds) : undefined;
}
