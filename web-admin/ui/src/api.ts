// Calls of the API. A refusal is an ApiError with what the server said; what it said is shown as text only.
import type { Problem } from "../generated/api";

export class ApiError extends Error {
  constructor(readonly status: number, readonly detail: string, readonly code = "") {
    super(detail);
  }
}

export type Parameters = Record<string, string | number | boolean | undefined>;

/** Path segments and parameters are percent-encoded here and nowhere else. */
export function target(path: readonly string[], parameters: Parameters = {}): string {
  const query = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== "");
  const encoded = query.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`);
  return `/api/v1/${path.map(encodeURIComponent).join("/")}${encoded.length ? `?${encoded.join("&")}` : ""}`;
}

let signedOut: () => void = () => undefined;
/** What happens when the server no longer knows the session. */
export function onSignedOut(then: () => void): void {
  signedOut = then;
}

let bearer = "";
/** Shown with every call: the token of a set-up. Sessions need none. */
export function setBearer(token: string): void {
  bearer = token;
}

export async function call<T>(method: string, path: readonly string[], options: { parameters?: Parameters; body?: unknown; signal?: AbortSignal } = {}): Promise<T> {
  // WHY: a form of another site cannot send a header of its own (CSRF).
  const headers: Record<string, string> = { Accept: "application/json", "X-Posthus-Panel": "1" };
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  if (bearer) headers["Authorization"] = `Bearer ${bearer}`;
  const ask = (): Promise<Response> => fetch(target(path, options.parameters), {
    method, headers, credentials: "same-origin", cache: "no-store", redirect: "error", signal: options.signal ?? null,
    body: options.body === undefined ? null : JSON.stringify(options.body),
  });
  // WHY once more: browsers break off what is on its way when the network changes, and reading twice does no harm.
  const response = await ask().catch((error: unknown) => (method === "GET" && !isAbort(error) ? ask() : Promise.reject(error))).catch((error: unknown) => {
    throw isAbort(error) ? error : new ApiError(0, "");
  });
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as T;
  if (response.status === 401 && path[0] !== "session") signedOut();
  const { detail = "", code = "" } = problemOf(text);
  throw new ApiError(response.status, String(detail), String(code));
}

const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === "AbortError";

function problemOf(text: string): Partial<Problem> {
  try {
    return (JSON.parse(text) as Partial<Problem> | null) ?? {};
  } catch {
    return {};
  }
}

export const get = <T>(path: readonly string[], parameters: Parameters = {}, signal?: AbortSignal): Promise<T> =>
  call<T>("GET", path, { parameters, ...(signal ? { signal } : {}) });
export const post = <T>(path: readonly string[], body?: unknown): Promise<T> => call<T>("POST", path, { body });
export const put = <T>(path: readonly string[], body: unknown): Promise<T> => call<T>("PUT", path, { body });
export const patch = <T>(path: readonly string[], body: unknown): Promise<T> => call<T>("PATCH", path, { body });
export const remove = (path: readonly string[]): Promise<void> => call<void>("DELETE", path);
