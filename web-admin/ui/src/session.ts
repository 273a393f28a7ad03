// Who is signed in, as the server says it.
import type { CurrentSession } from "../generated/api";
import { ApiError, call, get, post } from "./api";

export interface Session {
  address: string;
  role: "user" | "server_admin" | "domain_admin";
}

let role: Session["role"] | undefined;
/** Do pages show what only server admins may do? The server decides; this spares domain admins what it would refuse. */
export const isServerAdmin = (): boolean => role === "server_admin";

export const isUser = (): boolean => role === "user";
/** Users see the trace of their own mail. */
export const tracePath = (): readonly string[] => (isUser() ? ["me", "trace"] : ["trace"]);

function known(now: CurrentSession): Session | null {
  role = now.role ?? undefined;
  return now.session && now.role ? { address: now.session.login, role: now.role } : null;
}

export const whoAmI = (): Promise<Session | null> => get<CurrentSession>(["session"]).then(known);
/** Nothing: the password is right, and a code of the second factor is needed besides. */
export const signIn = (address: string, password: string, code?: string): Promise<Session | undefined> =>
  post<CurrentSession>(["session"], { login: address, password, ...(code ? { code } : {}) }).then((now) => (now.needs_code ? undefined : known(now) ?? Promise.reject(new ApiError(401, ""))));
export const signOut = (): Promise<void> => call<void>("DELETE", ["session"]);
