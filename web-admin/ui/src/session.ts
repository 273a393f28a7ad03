// Who is signed in, as the server says it.
import type { CurrentSession, PasskeyRequest } from "../generated/api";
import { ApiError, call, get, post } from "./api";

export interface Session {
  address: string;
  role: "user" | "server_admin" | "domain_admin";
}

/** What is asked for after the password. */
export interface Factor {
  takesAppCode: boolean;
  passkey: PasskeyRequest | null;
}

let role: Session["role"] | undefined;
/** Do pages show what only server admins may do? The server decides; this spares domain admins what it would refuse. */
export const isServerAdmin = (): boolean => role === "server_admin";

export const isUser = (): boolean => role === "user";
/** Users see the trace of their own mail. */
export const tracePath = (): readonly string[] => (isUser() ? ["me", "trace"] : ["trace"]);

/** Browsers have them in secure contexts only, and for names, not addresses. */
export const canUsePasskeys = (): boolean => isSecureContext && location.protocol === "https:" && typeof PublicKeyCredential === "function";
let hasPasskeys = false;
/** Could somebody sign in here with a passkey? */
export const offersPasskeys = (): boolean => hasPasskeys && canUsePasskeys();

function known(now: CurrentSession): Session | null {
  role = now.role ?? undefined;
  hasPasskeys = now.passkeys;
  return now.session && now.role ? { address: now.session.login, role: now.role } : null;
}

const signedIn = (now: CurrentSession): Promise<Session> => {
  const session = known(now);
  return session ? Promise.resolve(session) : Promise.reject(new ApiError(401, ""));
};

export const whoAmI = (): Promise<Session | null> => get<CurrentSession>(["session"]).then(known);
/** A factor: the password is right, and that is needed besides. */
export const signIn = (address: string, password: string, code?: string): Promise<Session | Factor> =>
  post<CurrentSession>(["session"], { login: address, password, ...(code ? { code } : {}) }).then<Session | Factor>((now) => (now.needs_code ? { takesAppCode: now.takes_app_code, passkey: canUsePasskeys() ? now.passkey : null } : signedIn(now)));
/** Without a request: whichever passkey the browser has for this server. */
export async function signInWithPasskey(asked?: PasskeyRequest): Promise<Session> {
  const { provePasskey } = await import("./passkeys");
  const proof = await provePasskey(asked ?? await post<PasskeyRequest>(["session", "passkey", "challenge"]));
  return signedIn(await post<CurrentSession>(["session", "passkey"], proof));
}
/** What the sign-in page offers then is asked anew: there may be a first passkey since. */
export const signOut = (): Promise<unknown> => call<void>("DELETE", ["session"]).then(() => whoAmI().catch(() => undefined));
