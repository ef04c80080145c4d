import { readFile } from "node:fs/promises";

/** No token can be had. The message says where it was looked for, and holds nothing of what was found. */
export class TokenError extends Error {
  override readonly name = "TokenError";
}

/** Whether a text can be a token: a header with a line break would be refused by Node with the token in the message. */
export function isToken(text: string): boolean {
  return /^[\x21-\x7e]{1,128}$/.test(text);
}

/** The token in a file, as it is now: it may be exchanged at any time. @throws TokenError */
export async function readToken(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new TokenError(`${file} can't be read yet; \`pulumi up\` puts the token there once Consul has it`, {
      cause: error,
    });
  });
  const token = text.trim();
  if (!isToken(token)) throw new TokenError(`${file} holds no Consul token`);
  return token;
}
