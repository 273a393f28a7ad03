// Types of the API for the panel, from openapi.yaml: one type per schema, and one entry per operation with its path
// parameters, query, body and answer. Only what openapi.yaml uses of JSON Schema is understood; anything else stops the build.
import { readFileSync } from "node:fs";
import { parse } from "yaml";

const MEDIA = "application/json";

/** The text of a TypeScript module. */
export function generate(file) {
  const api = parse(readFileSync(file, "utf8"));
  const lines = ["// Generated from openapi.yaml; not edited by hand.", ""];
  for (const [name, schema] of Object.entries(api.components.schemas)) lines.push(`export type ${name} = ${type(schema)};`);
  lines.push("", "export interface Operations {");
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of ["get", "post", "put", "patch", "delete"]) {
      if (item[method] && path.startsWith("/api/")) lines.push(`  ${operation(api, method, path, item)}`);
    }
  }
  lines.push("}", "");
  return lines.join("\n");
}

function operation(api, method, path, item) {
  const own = item[method];
  const parameters = [...(item.parameters ?? []), ...(own.parameters ?? [])].map((p) => resolve(api, p));
  const named = (place) => parameters.filter((p) => p.in === place);
  const query = named("query").map((p) => `${p.name}?: ${type(p.schema)} | undefined`).join("; ");
  const body = own.requestBody?.content?.[MEDIA]?.schema;
  const parts = [`path: [${named("path").map((p) => `${p.name}: string`).join(", ")}]`, `query: {${query}}`];
  parts.push(`body: ${body ? type(body) : "undefined"}`, `answer: ${answer(api, own)}`);
  return `"${method.toUpperCase()} ${path}": {${parts.join("; ")}};`;
}

function answer(api, own) {
  const found = Object.entries(own.responses).find(([status]) => status.startsWith("2"));
  const schema = resolve(api, found[1]).content?.[MEDIA]?.schema;
  return schema ? type(schema) : "undefined";
}

function resolve(api, value) {
  if (!value.$ref) return value;
  return value.$ref.slice(2).split("/").reduce((at, key) => at[key], api);
}

function type(schema) {
  if (schema.$ref) return schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
  if (schema.allOf) return schema.allOf.map(type).join(" & ");
  if (schema.oneOf) return `(${schema.oneOf.map(type).join(" | ")})`;
  if (schema.enum) return `(${schema.enum.map((word) => JSON.stringify(word)).join(" | ")})`;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (Array.isArray(schema.type)) return `(${schema.type.map((one) => type({ ...schema, type: one })).join(" | ")})`;
  switch (schema.type) {
    case "string": return "string";
    case "integer": case "number": return "number";
    case "boolean": return "boolean";
    case "null": return "null";
    case "array": return `${bracketed(type(schema.items))}[]`;
    case "object": return object(schema);
    default: throw new Error(`openapi.yaml: no type for ${JSON.stringify(schema).slice(0, 200)}`);
  }
}

function bracketed(text) {
  return /[ &|]/.test(text) ? `(${text})` : text;
}

function object(schema) {
  if (!schema.properties) return typeof schema.additionalProperties === "object" ? `Record<string, ${type(schema.additionalProperties)}>` : "Record<string, unknown>";
  const required = new Set(schema.required ?? []);
  const members = Object.entries(schema.properties).map(([name, value]) => `${name}${required.has(name) ? "" : "?"}: ${type(value)}`);
  return `{${members.join("; ")}}`;
}
