// What the server says, in English: refusals with a code by their code, other sentences by their English text, with {a} and {b}
// for what differs. Loaded when something of it is shown. test/said_test.ts holds the sentences and the server's sources together.
export const codes: Record<string, string> = {
  "passkey.name": "Passkeys belong to a name: open the panel under the server's own name.",
  "passkey.not_made": "The passkey was not made: what the browser sent is not right. Try again.",
  "passkey.none": "Make a passkey first.",
  "passkey.refused": "This passkey was not accepted.",
  "factor.used": "The code is not right, or was used before.",
  "factor.wrong": "The code is not right. Is the clock of the device right?",
};

export const said: Record<string, string> = {};
