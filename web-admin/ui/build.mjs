// Bundles the panel and writes what embeds it: build.mjs DIRECTORY. In DIRECTORY afterwards: every file as it is, .gz and .br,
// panel_files.S (their bytes) and panel_files.cc (their names). Files that did not change are not touched.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { generate } from "./types.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const MOST_SCRIPT = 60 * 1024; // bytes at first load, compressed with gzip: every browser can do at least that
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8" };

/** Atomic, and only when the content is another one. */
export function put(path, content) {
  const bytes = Buffer.from(content);
  try {
    if (readFileSync(path).equals(bytes)) return;
  } catch {
    // There is none yet.
  }
  mkdirSync(dirname(path), { recursive: true });
  const next = `${path}.${process.pid}`;
  writeFileSync(next, bytes);
  renameSync(next, path);
}

export function putTypes() {
  put(join(HERE, "generated", "api.ts"), generate(join(HERE, "..", "openapi.yaml")));
}

const hashOf = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 16);

/** WHY: the charts' library minified by its makers is a kilobyte smaller than what esbuild makes of its sources. */
const minifiedCharts = {
  name: "minified charts",
  setup(build) {
    build.onLoad({ filter: /\/uPlot\.esm\.js$/ }, ({ path }) => ({ contents: `${readFileSync(path.replace(".esm.js", ".iife.min.js"), "utf8")}\nexport default uPlot;` }));
  },
};

async function bundle() {
  const result = await esbuild.build({
    absWorkingDir: HERE,
    entryPoints: { panel: "src/main.tsx", style: "src/style.css" },
    outdir: "assets",
    write: false,
    bundle: true,
    splitting: true,
    format: "esm",
    minify: true,
    target: ["chrome111", "firefox113", "safari16.4"],
    jsx: "automatic",
    jsxImportSource: "preact",
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    plugins: [minifiedCharts],
    metafile: true,
    logLevel: "warning",
    legalComments: "none",
    define: { "process.env.NODE_ENV": '"production"' },
  });
  const files = result.outputFiles.map((file) => ({ name: file.path.split("/").pop(), bytes: Buffer.from(file.contents) }));
  return { files, outputs: result.metafile.outputs };
}

function page(files) {
  const find = (pattern) => files.find((file) => pattern.test(file.name)).name;
  const html = readFileSync(join(HERE, "src", "index.html"), "utf8");
  return html.replace("{{style}}", find(/^style-.*\.css$/)).replace("{{script}}", find(/^panel-.*\.js$/));
}

function encodings(bytes) {
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } };
  return { identity: bytes, gzip: gzipSync(bytes, { level: 9 }), brotli: brotliCompressSync(bytes, quality) };
}

/** The largest sum over the languages of what the words of some areas take, each a file (src/words/LANGUAGE/AREA.ts). */
function textSize(areas, outputs, sizes) {
  const sums = new Map();
  for (const [path, { entryPoint }] of Object.entries(outputs)) {
    const [, language, area] = /^src\/words\/(\w+)\/(\w+)\.ts$/.exec(entryPoint ?? "") ?? [];
    if (area && areas.includes(area)) sums.set(language, (sums.get(language) ?? 0) + sizes.get(path.split("/").pop()));
  }
  return Math.max(...sums.values());
}

/** What a browser with one language loads for the largest page: the entry, the page and what it needs, and the words of both. */
function checkSize({ files, outputs }) {
  const sizes = new Map(files.filter((file) => file.name.endsWith(".js")).map((file) => [file.name, gzipSync(file.bytes, { level: 9 }).length]));
  const nameOf = (path) => path.split("/").pop();
  const needs = new Map(Object.entries(outputs).map(([path, one]) => [nameOf(path), one.imports.filter((other) => !other.external)]));
  const sourceOf = new Map(Object.entries(outputs).map(([path, one]) => [nameOf(path), one.entryPoint ?? ""]));
  const isText = (name) => sourceOf.get(name).startsWith("src/words/");
  // With `entry`: also what those load later by themselves, but not what the entry would (every page).
  const withImports = (name, entry, all = new Set()) => {
    if (all.has(name) || isText(name)) return all;
    all.add(name);
    for (const one of needs.get(name) ?? []) if (one.kind === "import-statement" || (entry && !entry.has(name))) withImports(nameOf(one.path), entry, all);
    return all;
  };
  const areas = JSON.parse(readFileSync(join(HERE, "src", "words", "areas.json"), "utf8"));
  const first = withImports(files.find((file) => /^panel-.*\.js$/.test(file.name)).name);
  const pages = [...new Set([...first].flatMap((name) => needs.get(name) ?? []).filter((one) => one.kind === "dynamic-import").map((one) => nameOf(one.path)))];
  const sizeOf = (page) => {
    const all = [...new Set([...first, ...withImports(page, first)])];
    const said = all.flatMap((name) => areas[/^src\/(?:pages\/)?([\w-]+)\.tsx$/.exec(sourceOf.get(name))?.[1]] ?? []);
    return all.reduce((total, name) => total + sizes.get(name), textSize(["base", ...said], outputs, sizes));
  };
  const loaded = pages.filter((name) => !isText(name)).map((name) => [sizeOf(name), name]).sort((a, b) => b[0] - a[0]);
  const [most, which] = loaded[0];
  console.log(`panel: ${most} bytes of script at first load of the largest page, ${which} (gzip); ${MOST_SCRIPT} at most`);
  if (most > MOST_SCRIPT) throw new Error("the panel's script is too large");
}

function embed(directory, files) {
  const assembler = ["/* Generated by web-admin/ui/build.mjs. */", '  .section .rodata,"a",@progbits'];
  const declarations = [], rows = [];
  files.forEach((file, index) => {
    const views = Object.entries(encodings(file.bytes)).map(([coding, bytes]) => {
      const symbol = `posthus_panel_${index}_${coding}`;
      const path = join(directory, "files", `${file.name}.${coding}`);
      put(path, bytes);
      assembler.push(`  .global ${symbol}`, `${symbol}: .incbin "${path}"`);
      declarations.push(`extern const char ${symbol}[];`);
      return `{${symbol}, ${bytes.length}}`;
    });
    const type = TYPES[file.name.slice(file.name.lastIndexOf("."))];
    rows.push(`      {"${file.name}", "${type}", "${hashOf(file.bytes)}",\n       ${views.join(", ")}},`);
  });
  assembler.push('  .section .note.GNU-stack,"",@progbits', "");
  put(join(directory, "panel_files.S"), assembler.join("\n"));
  const code = ["// Generated by web-admin/ui/build.mjs.", '#include "web-admin/panel.h"', "", 'extern "C" {', ...declarations, "}", "",
    "namespace posthus::web_admin {", "std::span<const PanelFile> panel_files() {", "  static const PanelFile files[] = {", ...rows,
    "  };", "  return files;", "}", "}  // namespace posthus::web_admin", ""];
  put(join(directory, "panel_files.cc"), code.join("\n"));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const directory = process.argv[2];
  if (!directory) throw new Error("usage: build.mjs DIRECTORY");
  putTypes();
  const { files, outputs } = await bundle();
  checkSize({ files, outputs });
  embed(directory, [{ name: "index.html", bytes: Buffer.from(page(files)) }, ...files]);
}
