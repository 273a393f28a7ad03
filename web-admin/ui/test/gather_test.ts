// Searches in parts: they go on until there is enough, or nothing more.
import assert from "node:assert/strict";
import { test } from "node:test";
import { gather, timeOfId, type Part } from "../src/gather";

/** 100 numbers, 10 looked at for each answer, those let through that `wanted` says. */
function numbers(wanted: (n: number) => boolean): (after: string | undefined, limit: number) => Promise<Part<number>> {
  return (after, limit) => {
    const from = Number(after ?? 0);
    const items: number[] = [];
    let at = from;
    for (; at < Math.min(from + 10, 100) && items.length < limit; at += 1) if (wanted(at)) items.push(at);
    return Promise.resolve({ items, next: at < 100 ? String(at) : null });
  };
}

test("a search goes on over parts in which nothing is found", async () => {
  const told: number[] = [];
  const found = await gather(numbers((n) => n === 97), undefined, 25, (part) => told.push(part.items.length));
  assert.deepEqual(found, { items: [97], next: null });
  assert.equal(told.length, 9);
});

test("it ends when there is enough, and the next page begins behind it", async () => {
  const first = await gather(numbers((n) => n % 2 === 0), undefined, 25, () => undefined);
  assert.equal(first.items.length, 25);
  assert.equal(first.items.at(-1), 48);
  const second = await gather(numbers((n) => n % 2 === 0), first.next ?? undefined, 25, () => undefined);
  assert.deepEqual([second.items[0], second.items.at(-1), second.next], [50, 98, "99"]);
});

test("what was told meanwhile is not changed afterwards", async () => {
  const told: Part<number>[] = [];
  await gather(numbers(() => true), "70", 25, (part) => told.push(part));
  assert.deepEqual(told.map((part) => part.items.length), [10, 20]);
});

test("an id tells when its message was accepted", () => {
  const at = Date.UTC(2026, 10, 22, 12, 34, 56);
  let value = BigInt(at) * 1000n * 4096n + 5n;
  let id = "";
  for (let i = 0; i < 13; i += 1, value /= 32n) id = "0123456789abcdefghjkmnpqrstvwxyz"[Number(value % 32n)] + id;
  assert.equal(timeOfId(id)?.getTime(), at);
  assert.equal(timeOfId("no id!"), undefined);
  assert.equal(timeOfId(""), undefined);
});
