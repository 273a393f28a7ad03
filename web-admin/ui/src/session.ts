// Who is signed in, as the server says it.
import type { CurrentSession } from "../generated/api";
import { ApiError, call, get, post } from "./api";

export interface Session {
  address: string;
  role: "user" | "server_admin";
}

const known = (now: CurrentSession): Session | null => (now.session && now.role ? { address: now.session.login, role: now.role } : null);

export const whoAmI = (): Promise<Session | null> => get<CurrentSession>(["session"]).then(known);
export const signIn = (address: string, password: string): Promise<Session> => post<CurrentSession>(["session"], { login: address, password }).then((now) => known(now) ?? Promise.reject(new ApiError(401, "")));
export const signOut = (): Promise<void> => call<void>("DELETE", ["session"]);
