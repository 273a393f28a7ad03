// Addresses of pages and of the API, sizes, and what is made of hostile trace events.
import assert from "node:assert/strict";
import { test } from "node:test";
import { target } from "../src/api";
import { initials, parseSize } from "../src/format";
import { asTyped } from "../src/forms";
import { href, parsePlace } from "../src/router";
import { goesTo } from "../src/pages/menu";
import { sizeIn, sizeText } from "../src/pages/limits";
import { reasonOf } from "../src/pages/reason";
import { fatesOf, recipientsOf, stepsOf, tell, text } from "../src/pages/timeline";
import { type Language, languages, setLanguage, t, wordsFor } from "../src/words";
import { destinationsOf } from "../src/pages/queue";
import { titleOf } from "../src/pages/routes";
import { searchOf } from "../src/pages/trace";

test("what comes from outside cannot leave its place in an address", () => {
  assert.equal(target(["users", "../tokens?a=b#c"]), "/api/v1/users/..%2Ftokens%3Fa%3Db%23c");
  assert.equal(target(["users"], { search: "a&b", after: undefined, domain: "" }), "/api/v1/users?search=a%26b");
  assert.equal(href(["domains", "a/b"], { q: "1&2", none: undefined }), "/domains/a%2Fb?q=1%262");
  assert.deepEqual(parsePlace("/mailboxes/a%40b%2Fc", "").segments, ["mailboxes", "a@b/c"]);
  assert.deepEqual(parsePlace("/trace/%zz", "").segments, ["trace", "%zz"]);
});

test("sizes are decimal and anything else is refused", () => {
  assert.equal(parseSize("20 GB"), 20e9);
  assert.equal(parseSize("1,5m"), 1.5e6);
  assert.equal(parseSize("0"), 0);
  for (const bad of ["", "GB", "-1", "1e9", "20 XB", "9".repeat(20)]) assert.equal(parseSize(bad), undefined, bad);
});

test("sizes in a field are read in every language, and an untouched one is exact", async () => {
  for (const language of Object.keys(languages) as Language[]) {
    await setLanguage(language);
    for (const bytes of [0, 1, 512, 999, 1500, 20e9, 1.5e12, 9e15]) assert.equal(sizeIn(sizeText(bytes), 0), bytes, sizeText(bytes));
    assert.equal(sizeIn(sizeText(1_073_741_824), 1_073_741_824), 1_073_741_824);
    assert.equal(sizeIn("1 GB", 1_073_741_824), 1e9);
  }
  await setLanguage("en");
  assert.equal(sizeIn("much", 0), undefined);
});

test("a field of a search keeps the spaces somebody types", () => {
  assert.equal(asTyped("lena ", "lena"), "lena ");
  assert.equal(asTyped("lena v", "lena"), "lena", "the place has not followed yet, or went elsewhere");
  assert.equal(asTyped("lena ", ""), "");
});

test("a search goes where it belongs", () => {
  assert.deepEqual(searchOf("<a@b>"), { message_id: "<a@b>" });
  assert.deepEqual(searchOf("@example.org"), { address: "@example.org" });
  assert.deepEqual(searchOf("Rechnung @ home"), { subject: "Rechnung @ home" });
});

test("events with members of other types are still told", () => {
  assert.deepEqual(recipientsOf({ recipients: [null, 3, { recipient: "a@b" }, "c@d", {}] } as never), ["a@b", "c@d"]);
  assert.deepEqual(recipientsOf({ recipients: "a@b" } as never), []);
  assert.equal(text({ event: { toString: 1 } } as never, "event"), "");
  assert.equal(tell({ event: "__proto__" } as never).tone, "off");
  assert.equal(tell({ event: "constructor" } as never).tone, "off");
});

test("replies are put into words where they are known", () => {
  assert.equal(reasonOf("451 4.7.1 Greylisted"), "reason.greylist");
  assert.equal(reasonOf("452 4.2.2 full"), "reason.full");
  assert.equal(reasonOf("550 5.1.1 no"), "reason.no-mailbox");
  assert.equal(reasonOf("421 busy"), undefined);
});

test("what was delivered here when it came is a step of its own", async () => {
  await wordsFor("trace");
  const accepted = { event: "accepted", recipients: [{ recipient: "a@b", event: "delivered" }, { recipient: "c@d", event: "queued" }, { recipient: "far@e", event: "queued", via: "near@b" }, null, 7] } as never;
  assert.deepEqual(stepsOf(accepted).map((step) => [step.what, step.about]).slice(1), [["Delivered", "In the inbox of a@b"], ["Forwarded", "near@b → far@e"]]);
  assert.equal(stepsOf({ event: "accepted", recipients: [{ recipient: "c@d", event: "queued" }] } as never).length, 1);
  assert.equal(stepsOf({ event: "deferred", recipients: ["c@d"] } as never).length, 1);
  assert.equal(stepsOf({ event: "accepted", recipients: { length: 3 } } as never).length, 1);
});

test("who was passed over is told with the reason", async () => {
  await wordsFor("trace");
  const accepted = { event: "accepted", recipients: [], skipped: [{ address: "off@b", reason: "disabled", via: "all@b" }, { address: "full@b", reason: "full" }, null, { address: "x@b", reason: "later" }] } as never;
  assert.deepEqual(stepsOf(accepted).map((step) => [step.what, step.about]).slice(1), [["Passed over", "off@b is disabled · full@b has no room, and too many copies wait · x@b"]]);
  assert.equal(tell(accepted).exact, "");
  assert.equal(stepsOf({ event: "accepted", recipients: [], skipped: { length: 2 } } as never).length, 1);
});

test("what an admin did is told of whom he did it to", () => {
  const removed = { event: "removed", by: "local", recipients: ["c@d"] } as never, bounced = { event: "bounced", by: "local", domain: "e.test" } as never;
  assert.equal(tell(removed).about, "c@d");
  assert.equal(tell(bounced).about, "@e.test");
  const accepted = { event: "accepted", recipients: ["a@b", "c@d", "f@E.test"].map((recipient) => ({ recipient, event: "queued" })) } as never;
  assert.deepEqual([...fatesOf([accepted, removed, bounced])], [["a@b", "waiting"], ["c@d", "removed"], ["f@E.test", "failed"]]);
});

test("initials", () => {
  assert.equal(initials("lena.vogel@example.org"), "LV");
  assert.equal(initials("@example.org"), "?");
});

test("a story says what became of each recipient", () => {
  const accepted = { event: "accepted", recipients: [{ recipient: "a@b", event: "delivered" }, { recipient: "c@d", event: "queued" }, null, 7] } as never;
  assert.deepEqual([...fatesOf([accepted])].slice(0, 2), [["a@b", "arrived"], ["c@d", "waiting"]]);
  const after = fatesOf([accepted, { event: "deferred", recipients: ["c@d"] }, { event: "failed", recipients: ["c@d"] }, { event: "report", recipients: ["x@y"] }] as never);
  assert.equal(after.get("c@d"), "failed");
  assert.equal(after.has("x@y"), false);
});

test("a heading of routes claims no number that it does not know", async () => {
  await wordsFor("routes");
  const page = { items: [{ name: "*", hops: [] }], next: null } as never;
  assert.equal(titleOf(page, true), "One route is set");
  assert.equal(titleOf({ items: [], next: null }, true), "Mail goes straight to the recipients' servers");
  for (const title of [titleOf(undefined, true), titleOf(page, false), titleOf({ items: [], next: "x" }, true)]) assert.equal(title, "Routes");
});

test("a total that is not known is told as at least that many", async () => {
  await wordsFor("queue");
  const items = [{ destination: "a.test" }];
  assert.equal(destinationsOf({ items, destinations: 1000, next: "x" } as never), 1000);
  assert.equal(destinationsOf({ items, destinations: null, next: null } as never), 1);
  assert.equal(destinationsOf({ items, destinations: null, next: "x" } as never), "1+");
  assert.equal(t("n.destinations", { n: "50+" }), "50+ destinations");
});

test("arrows go round the choices of a menu, and nothing else is theirs", () => {
  assert.deepEqual([goesTo("ArrowDown", 0, 3), goesTo("ArrowDown", 2, 3), goesTo("ArrowUp", 0, 3), goesTo("Home", 2, 3), goesTo("End", 0, 3)], [1, 0, 2, 0, 2]);
  for (const key of ["Enter", "Escape", "a", "toString"]) assert.equal(goesTo(key, 0, 3), undefined, key);
});
