// Lines of the log: their fields as they stand, and how many are kept.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldsOf, joined } from "../src/pages/logs";

test("the fields of a line are shown as the log writes them", () => {
  assert.equal(fieldsOf({ time: "t", level: "info", event: "smtp.accepted", id: "7", to: 2, text: "a b", helo: "", quote: 'x"y' }), 'id=7 to=2 text="a b" helo="" quote="x\\"y"');
  assert.equal(fieldsOf({ time: "t", level: "info", event: "server.stopped" }), "");
});

test("the newest thousand lines are kept", () => {
  const line = (number: number): Parameters<typeof joined>[0][number] => ({ number, trace: null, line: { time: "t", level: "info", event: "e" } });
  const all = joined(Array.from({ length: 990 }, (_, i) => line(i)), Array.from({ length: 30 }, (_, i) => line(990 + i)));
  assert.equal(all.length, 1000);
  assert.equal(all[0]!.number, 20);
  assert.equal(all.at(-1)!.number, 1019);
});
