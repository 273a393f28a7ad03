// A small stand-in for the server, to look at pages without one: fake_api.mjs DIRECTORY-OF-BUILD; prints its port. Loopback only.
// Its data is hostile where real data may be.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const files = join(process.argv[2], "files");
const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
const evil = "<img src=x onerror=document.title='owned'>";
const names = ["anna", "butikk", "ingrid", "jonas.brandt", "lena.vogel", "marte", "ole", "petter", "scanner", "sindre"];
const user = (name, index) => ({
  address: `${name}@${index % 3 === 1 ? "brandt-elektro.example" : "nordlys.example"}`, disabled: name === "petter", role: name === "ingrid" ? "server_admin" : "user",
  has_password: name !== "scanner", quota_bytes: name === "scanner" ? 0 : 20e9, usage: { bytes: [19.4e9, 8.2e9, 4.4e9, 12.6e9, 17.6e9, 6e8, 4e8, 5.4e9, 0, 3e8][index], messages: 4711 * (index + 1) },
  pop3_retention_days: null, created: ago(900000), forward_to: index === 3 ? ["jonas@elsewhere.example"] : [], keeps_copy: true, messages_per_day: null, new_recipients_per_day: null,
  sending: { messages_today: index * 7, new_recipients_today: 1, bounces_today: 0, held: name === "ole", hold_reason: name === "ole" ? "214 copies within ten minutes, up to 100 are usual" : null, hold: name === "ole" ? { code: "burst", count: 214, limit: 100, text: "" } : null },
});
const users = names.map(user);
const replies = ["mx1.kunde-post.example [198.51.100.25]:25: connection refused", "451 4.7.1 Greylisted, please come back in 900 seconds", `452 4.2.2 Mailbox full ${evil}`];
const destinations = ["kunde-post.example", "bigmail.example", "skole.example"].map((destination, i) => ({ destination, waiting: [9, 3, 1][i], has_more: false, next_attempt: ago(-31 * (i + 1)), last_attempt: ago(20), last_host: "mx", last_reply: replies[i] }));
const queued = (i) => ({ id: `QUEUE${i}`, from: i === 2 ? "" : "lena.vogel@brandt-elektro.example", size: 284000, accepted: ago(190 + i), origin: "submission", account: null, state: i === 3 ? "held" : "deferred", hold_reason: i === 3 ? evil : null, hold: i === 3 ? { code: "admin", count: 0, limit: 0, text: evil } : null, envelope_id: null,
  recipients: [{ number: 1, address: `einkauf@${destinations[i % 3].destination}`, destination: destinations[i % 3].destination, original_recipient: null, notify: [], attempts: 3, next_attempt: ago(-31), last_attempt: ago(20), must_bounce: false, route: null, last_host: null, last_reply: replies[i % 3] }], has_more_recipients: false });
const accepted = (i) => ({ time: ago(190), event: "accepted", id: `QUEUE${i}`, via: "submission", address: "203.0.113.40", tls: "TLSv1.3", login: "lena.vogel@brandt-elektro.example", from: "lena.vogel@brandt-elektro.example", size: 284000, message_id: "<4f1c9b2e@brandt-elektro.example>", subject: ["Rechnung 2026-1183", evil, "Ukens tilbud: mel og gjær", "Re: avtale torsdag", "Scan 0421"][i], recipients: [{ recipient: "anna@nordlys.example", event: "delivered" }, { recipient: "einkauf@kunde-post.example", event: "queued" }] });
const deferred = (i) => ({ time: ago(150 - i * 30), event: "deferred", recipients: ["einkauf@kunde-post.example"], host: "mx1.kunde-post.example", address: "198.51.100.25", port: 25, reply: replies[i % 2], next_attempt: ago(-31) });
const lasts = [deferred(1), { time: ago(60), event: "failed", recipients: [], reply: "550 5.1.1 no such user" }, { time: ago(9), event: "relayed", recipients: ["a@b.example"], reply: "250 2.0.0 ok" }, { time: ago(9), event: "held", detail: "an admin" }, { time: ago(5), event: "accepted", recipients: [] }];
const record = (purpose, type, name, value, importance = "required") => ({ name, type, value, ttl: 3600, importance, purpose, why: "Other servers look here before they hand mail over.", zone_line: `${name}. 3600 IN ${type} ${value}` });
const d = "brandt-elektro.example";
const records = [record("mail_exchanger", "MX", d, "10 mail.nordlys.example."), record("spf", "TXT", d, "v=spf1 mx -all"), record("dkim", "TXT", `r20261122._domainkey.${d}`, `v=DKIM1; k=rsa; p=${"MIIBIjANBgkqhkiG9w0BAQ".repeat(12)}`), record("dmarc", "TXT", `_dmarc.${d}`, "v=DMARC1; p=quarantine", "recommended"), record("tlsa", "TLSA", "_25._tcp.mail.nordlys.example", "3 1 1 0a1b2c", "optional")];
const states = ["ok", "ok", "missing", "wrong", "unknown"];
const page = (items) => ({ items, next: null });
const domains = ["nordlys.example", d].map((name) => ({ name, display_name: name, disabled: false, default_quota_bytes: 20e9, pop3_retention_days: 0, created: ago(900000), kind: "mailboxes", check_recipients: false, language: "nb", messages_per_day: null, new_recipients_per_day: null, domain_messages_per_day: null, domain_new_recipients_per_day: null,
  sending: { messages_today: 214, new_recipients_today: 12, forwards_today: 31, messages_limit: 10000, new_recipients_limit: 2000 } }));
const answers = {
  "GET status": { version: "0.1.0", hostname: "mail.nordlys.example", started: ago(59040), uptime_seconds: 3542400, listeners: [{ name: "imaps", address: "0.0.0.0", port: 993, implicit_tls: true, connections: 212 }, { name: "smtp", address: "0.0.0.0", port: 25, implicit_tls: false, connections: 3 }], counts: { domains: 2, users: 10, aliases: 2 }, store: { index_used_bytes: 4e8, index_free_bytes: 1e6, oldest_snapshot_age_commits: 0, segments: 12, segment_bytes: 41.2e9, live_bytes: 40.1e9, queued_requests: 0 }, memory: { resident_bytes: 48e6 }, disk: null, totals: {}, warnings: [] },
  "GET domains": page(domains), "GET users": page(users), "GET queue/destinations": page(destinations), "GET queue": page([0, 1, 2, 3].map(queued)),
  "GET aliases": page([{ address: "info@nordlys.example", targets: ["anna@nordlys.example", "ingrid@nordlys.example"], created: ago(1000) }, { address: `@${d}`, targets: ["jonas.brandt@nordlys.example"], created: ago(1000) }]),
  "GET tokens": page([{ id: "0123456789abcdef", name: evil, scopes: ["read"], expires: null, created: ago(100) }]),
  "GET settings": page([{ name: "queue.connections", value: "20", default: "10", meaning: "Connections to one destination at most" }, { name: "dns.update_key", value: null, default: "", meaning: "TSIG key that dynamic updates are signed with" }]),
  "GET routes": page([]), "GET trace": page([0, 1, 2, 3, 4].map((i) => ({ id: `QUEUE${i}`, events: 3, first: accepted(i), last: lasts[i] }))),
  "GET delivery-check": { checked: ago(90), light: "red", items: [{ check: "port_25", subject: "IPv4", state: "ok", meaning: "Open.", action: "" }, { check: "blocklist", subject: "bl.example", state: "wrong", meaning: "203.0.113.25 is listed.", action: "Ask them to take it off once the cause is mended." }, { check: "reverse", subject: "2001:db8::25", state: "unknown", meaning: "The DNS did not answer.", action: "" }], next: null },
  "POST queue": { recipients: 9 },
};
let isSignedIn = process.argv[3] === "signed-in";
const session = () => ({ hostname: "mail.nordlys.example", role: isSignedIn ? "server_admin" : null, session: isSignedIn ? { id: "1", login: "ingrid@nordlys.example", is_this: true, created: ago(1), last_used: ago(0), ends: ago(-99), idle_ends: ago(-9), remote_address: "127.0.0.1", user_agent: "" } : null });

function answer(method, path, body) {
  if (path === "session" && method === "POST") isSignedIn = body.password === "right";
  if (path === "session") return method === "POST" && !isSignedIn ? undefined : session();
  const parts = path.split("/").map(decodeURIComponent);
  if (answers[`${method} ${path}`]) return answers[`${method} ${path}`];
  if (parts[0] === "users") return users.find((one) => one.address === parts[1]);
  if (parts[0] === "trace") return { id: parts[1], queued: true, items: [accepted(0), deferred(0), deferred(1)], next: null };
  if (parts[0] === "domains" && parts[2] === "dkim") return page([{ selector: "r20261122", algorithm: "rsa-sha256", state: "active", record_name: records[2].name, record: records[2].value, created: ago(9), retires: null }]);
  if (parts[0] === "domains" && parts[3] === "check") return { domain: d, hostname: "mail.nordlys.example", light: "red", items: records.map((one, i) => ({ ...one, state: states[i], found: i === 3 ? [evil] : [], meaning: "What receivers make of it stands here.", paste: "" })), next: null };
  if (parts[0] === "domains" && parts[2] === "dns") return { domain: d, hostname: "mail.nordlys.example", items: records, zone: records.map((one) => one.zone_line).join("\n"), next: null };
  return parts[0] === "domains" ? domains.find((one) => one.name === parts[1]) : undefined;
}

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const types = { js: "text/javascript", css: "text/css" };
const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk)).on("end", () => {
    const { pathname } = new URL(request.url, "http://localhost");
    response.setHeader("Content-Security-Policy", policy);
    if (!pathname.startsWith("/api/v1/")) {
      const name = pathname.startsWith("/assets/") ? pathname.slice(8).replace(/[^\w.-]/g, "") : "index.html";
      response.setHeader("Content-Type", types[name.split(".").pop()] ?? "text/html; charset=utf-8");
      return response.end(readFileSync(join(files, `${name}.identity`)));
    }
    const text = Buffer.concat(chunks).toString();
    const found = answer(request.method, pathname.slice(8), text ? JSON.parse(text) : {});
    response.statusCode = found === undefined ? (pathname.endsWith("/session") ? 401 : 404) : 200;
    response.setHeader("Content-Type", "application/json");
    return response.end(JSON.stringify(found ?? { type: "about:blank", title: "", status: response.statusCode, detail: "Valid credentials are needed." }));
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
