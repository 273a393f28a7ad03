// Unit tests of the panel's logic: bundles test/*_test.ts and runs them with node's test runner.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as esbuild from "esbuild";
import { putTypes } from "./build.mjs";

putTypes();
const directory = mkdtempSync(join(tmpdir(), "posthus-panel-"));
const entries = readdirSync("test").filter((name) => name.endsWith("_test.ts") || name.endsWith("_test.tsx"));
await esbuild.build({
  entryPoints: entries.map((name) => join("test", name)),
  outdir: directory,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  format: "esm",
  platform: "node",
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: "warning",
});
const files = readdirSync(directory).map((name) => join(directory, name));
const done = spawnSync(process.execPath, ["--test", "--test-reporter=tap", ...files], { stdio: "inherit", env: { ...process.env, TZ: "UTC" } });
rmSync(directory, { recursive: true });
process.exit(done.status ?? 1);
