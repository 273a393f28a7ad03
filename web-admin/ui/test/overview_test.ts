// What stands on the first page under "needs you": what hides the clients, and names that lead elsewhere, each with where it is mended.
import assert from "node:assert/strict";
import { test } from "node:test";
import { problemsOf } from "../src/pages/overview";

const page = { items: [], next: null };
const quiet = {
  status: { hostname: "mx.test", disk: null, counts: { domains: 1, users: 1, aliases: 0 }, warnings: [] },
  destinations: page, held: page, delivery: page, accounts: page, full: page, alerts: { ...page, open: 0 },
  certificates: { ...page, passed_over: [], default: null },
};
const told = (change: object): string[] => problemsOf({ ...quiet, ...change } as never).map((one) => `${one.what} ${one.to}`);

test("nothing is wrong and nothing is said", () => {
  assert.deepEqual(told({}), []);
});

test("addresses that hide clients are told", () => {
  const warnings = [{ kind: "gateway_hides_clients", address: "172.17.0.1", detail: "" }, { kind: "proxy_unnamed", address: "10.0.0.2", detail: "" }];
  assert.deepEqual(told({ status: { ...quiet.status, warnings } }), ["warning.gateway_hides_clients /about", "warning.proxy_unnamed /about"]);
});

test("names without a certificate are told when somebody must mend it", () => {
  const name = (kind: string): object => ({ hostname: `autoconfig.${kind}.test`, reason: "", kind, facts: ["192.0.2.7", "192.0.2.1"] });
  const passed = (...kinds: string[]): object => ({ certificates: { ...quiet.certificates, passed_over: kinds.map(name) } });
  assert.deepEqual(told(passed("dns_silent", "later", "name_missing")), []);
  assert.deepEqual(told(passed("dns_silent", "leads_elsewhere", "own_addresses_unknown")), ["passed.of /security/certificates"]);
});
