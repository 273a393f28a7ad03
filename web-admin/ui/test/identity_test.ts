// What the pages of second factors, app passwords and the audit log work out.
import assert from "node:assert/strict";
import { test } from "node:test";
import { endOf } from "../src/pages/app_passwords";
import { deedOf, differences, madeBy } from "../src/pages/audit";
import { qrOf } from "../src/pages/second_factor";

test("of the server's image only numbers are taken over", () => {
  const svg = (path: string): string => `<svg viewBox="0 0 41 41"><rect width="41" fill="#fff"/><path fill="#000" d="${path}"/></svg>`;
  assert.deepEqual(qrOf(svg("M4 4h7v1h-7z")), { path: "M4 4h7v1h-7z", size: 41 });
  assert.equal(qrOf(svg("M4 4<script>")), undefined);
  assert.equal(qrOf("<svg>"), undefined);
});

test("an app password ends after so many days, or never", () => {
  assert.equal(endOf("0", 0), null);
  assert.equal(endOf("30", Date.UTC(2026, 0, 1)), "2026-01-31T00:00:00Z");
});

test("what differs is told name by name", () => {
  assert.deepEqual(differences({ quota_bytes: 0, gone: "x" }, { quota_bytes: 5, targets: ["a"] }), [["quota_bytes", "0", "5"], ["targets", "–", "[\"a\"]"], ["gone", "x", "–"]]);
  assert.deepEqual(differences(undefined, undefined), []);
  const entry = { number: 1, time: "", who: "local", by: "socket" as const, from: "", method: "POST", target: "/api/v1/users", status: 201, after: { address: "a@b.test" } };
  assert.equal(madeBy(entry), "a@b.test");
  assert.equal(madeBy({ ...entry, method: "PATCH" }), "");
  const deeds = { "POST users": "Made {name}", "PUT users/*/password": "Password of {name}", "POST queue": "Mail: {name}" };
  assert.equal(deedOf(entry, deeds, "en-GB"), "Made a@b.test");
  assert.equal(deedOf({ ...entry, method: "PUT", target: "/api/v1/users/c%40d.test/password" }, deeds, "en-GB"), "Password of c@d.test");
  assert.equal(deedOf({ ...entry, target: "/api/v1/queue", after: {}, request: { action: "retry" } }, deeds, "en-GB"), "Mail: retry");
  const better = { ...deeds, "POST queue hold": "Held mail" };
  assert.equal(deedOf({ ...entry, target: "/api/v1/queue", after: {}, request: { action: "hold" } }, better, "en-GB"), "Held mail");
  assert.equal(deedOf({ ...entry, target: "/api/v1/queue", after: {}, request: { action: "retry" } }, better, "en-GB"), "Mail: retry");
  assert.equal(deedOf({ ...entry, target: "/api/v1/unheard-of" }, deeds, "en-GB"), undefined);
});
