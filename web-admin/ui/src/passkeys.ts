// Passkeys in the browser: what the API sends becomes what navigator.credentials takes, and back. Binary members travel as base64url.
import type { NewPasskey, PasskeyCreation, PasskeyProof, PasskeyRequest } from "../generated/api";
import type { Word } from "./words";

export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
}

export function toBase64Url(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Why the browser made or proved nothing. */
export function faultOf(error: unknown): Word | undefined {
  if (!(error instanceof DOMException)) return undefined;
  return error.name === "InvalidStateError" ? "passkey.there" : error.name === "SecurityError" ? "passkey.name-wrong" : "passkey.cancelled";
}

const described = (all: PasskeyRequest["credentials"]): PublicKeyCredentialDescriptor[] =>
  all.map((one) => ({ type: "public-key", id: fromBase64Url(one.id), transports: one.transports as AuthenticatorTransport[] }));

export async function makePasskey(asked: PasskeyCreation): Promise<Omit<NewPasskey, "name">> {
  const made = await navigator.credentials.create({ publicKey: {
    rp: { id: asked.rp_id, name: asked.rp_id },
    user: { id: fromBase64Url(asked.user_id), name: asked.user_name, displayName: asked.user_name },
    challenge: fromBase64Url(asked.challenge),
    pubKeyCredParams: asked.algorithms.map((alg) => ({ type: "public-key", alg })),
    excludeCredentials: described(asked.exclude),
    authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
    attestation: "none",
  } }) as PublicKeyCredential;
  const response = made.response as AuthenticatorAttestationResponse;
  return { client_data: toBase64Url(response.clientDataJSON), attestation_object: toBase64Url(response.attestationObject), transports: response.getTransports?.() ?? [] };
}

export async function provePasskey(asked: PasskeyRequest): Promise<PasskeyProof> {
  const proved = await navigator.credentials.get({ publicKey: {
    rpId: asked.rp_id, challenge: fromBase64Url(asked.challenge), allowCredentials: described(asked.credentials), userVerification: "required",
  } }) as PublicKeyCredential;
  const response = proved.response as AuthenticatorAssertionResponse;
  return {
    id: toBase64Url(proved.rawId), client_data: toBase64Url(response.clientDataJSON), authenticator_data: toBase64Url(response.authenticatorData),
    signature: toBase64Url(response.signature), ...(response.userHandle ? { user_handle: toBase64Url(response.userHandle) } : {}),
  };
}
