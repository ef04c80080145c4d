/**
 * A copy of what was cut out of a longer text, which it doesn't keep in memory: V8 keeps a text for as long as anything of 13 characters or more is kept that was cut out of it.
 * For what is kept of what somebody else says.
 */
export function detached(part: string): string {
  return Buffer.from(part).toString();
}
