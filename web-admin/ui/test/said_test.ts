// What the server says is known in the other languages, and the sentences known are the server's own.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { translate } from "../src/said";
import { type Language, type Texts, wordFile } from "../src/words";

const saidIn = async (language: Language): Promise<{ codes: Texts; said: Texts }> => wordFile(language, "said");
const [english, german, norwegian] = [await saidIn("en"), await saidIn("de"), await saidIn("nb")];
const said = { de: german.said, nb: norwegian.said };
const codes = { en: english.codes, de: german.codes, nb: norwegian.codes };

const folders = ["web-admin", "store", "core/main", "core/sasl", "core/mail", "core/mailauth"];
const source = folders.flatMap((folder) => readdirSync(`../../${folder}`).filter((name) => /\.(cc|h)$/.test(name)).map((name) => readFileSync(`../../${folder}/${name}`, "utf8"))).join("\n").replaceAll(/"\s*\n\s*"/g, "");

/** What stands between blanks; the server puts some sentences together. */
const piecesOf = (sentence: string): string[] => sentence.split(/\{[ab]\}| must be /).map((part) => part.trim().replace(/[.:]$/, "")).filter((part) => part.length >= 4);

test("every sentence that is translated is one of the server's", () => {
  for (const [name, texts] of Object.entries(said)) {
    const foreign = Object.keys(texts).filter((sentence) => !piecesOf(sentence).every((piece) => source.includes(piece)));
    assert.deepEqual(foreign, [], name);
  }
});

// Answers to programs only, or ends of sentences that have a code; whoever sees one of them in the panel has found a fault of the panel.
const kOfPrograms = ["message_upload.cc", "target.cc", "json.cc", "autodiscover_request.cc", "client_setup.cc", "webauthn.cc", "cose_key.cc", "cbor.cc", "qr_code.cc", "profile_signature.cc", "server_session.cc", "api.cc", "authorisation.cc", "passkeys.cc", "tokens.cc", "app_passwords.cc"];
const kToPrograms = /^(parameter '(language|state|level|probe|force|span|figure|result|sort|limit|text|after|7)'|field '(kind|language|writers|access|mode|action|reason|recipient|route|role|admin_of|protocols|scopes|directory|from)'|optional must be|only the running server|no answer in time|setting 7|say which mail|No challenge with this token|There is no such file|There is no browser's session|a dry run needs|(no )?[a-z.]+_key: )/;

test("every sentence that people can be refused with is translated", () => {
  const patterns = Object.keys(said.de).map((text) => new RegExp(`^${text.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&").replaceAll(/\{[ab]\}/g, ".+?")}$`, "s"));
  const untold: string[] = [];
  let all = 0;
  for (const file of readdirSync("../../web-admin").filter((name) => name.endsWith(".cc") && !kOfPrograms.includes(name))) {
    const text = readFileSync(`../../web-admin/${file}`, "utf8").replaceAll(/"\s*\n\s*"/g, "");
    for (const [, expression] of text.matchAll(/\b(?:fail|problem)\(\s*(?:ErrorKind::k\w+|\d+),\s*([^;]*?)\);/g)) {
      if (!expression!.includes('"') || /",\s*"(passkey|factor)\.[a-z_]+"\)?$/.test(expression!)) continue;
      ++all;
      const sentence = [...expression!.matchAll(/"((?:[^"\\]|\\.)*)"|([^"]+)/g)].map(([, words, code]) => words ?? (/\w/.test(code!.replaceAll("std::string", "")) ? "7" : "")).join("").replaceAll('\\"', '"');
      if (!kToPrograms.test(sentence) && !patterns.some((pattern) => pattern.test(sentence))) untold.push(`${file}: ${sentence}`);
    }
  }
  assert.ok(all > 100, `${all} sentences found`);
  assert.deepEqual(untold, []);
});

test("languages have the same sentences and blanks, and words for every code", () => {
  const blanks = (text: string): string[] => [...text.matchAll(/\{[ab]\}/g)].map((match) => match[0]).sort();
  assert.deepEqual(Object.keys(said.nb), Object.keys(said.de));
  for (const texts of Object.values(said)) {
    for (const [sentence, text] of Object.entries(texts)) assert.deepEqual(blanks(text), blanks(sentence), sentence);
  }
  const used = [...source.matchAll(/problem\([^;]*?"((?:passkey|factor)\.[a-z_]+)"\)/g)].map((match) => match[1]!);
  assert.ok(used.length >= 4);
  for (const [name, texts] of Object.entries(codes)) assert.deepEqual([...new Set(used)].filter((code) => !(code in texts)), [], name);
});

test("blanks carry what the server filled in, as text", () => {
  const known = { "the certificate is not for {a} but for {b}": "gilt für {b}, nicht für {a}", "there is no user {a}": "kein Postfach {a}" };
  assert.equal(translate("the certificate is not for a.test but for b.test", known), "gilt für b.test, nicht für a.test");
  assert.equal(translate("there is no user $&<b>{a}", known), "kein Postfach $&<b>{a}");
  assert.equal(translate("550 no such user", known), "550 no such user");
});
