import { randomInt } from "node:crypto";

import type { CheckFailure } from "../protocol/provider";
import type { Properties } from "../protocol/values";

const DIGITS = "0123456789";
const LOWER = "abcdefghijklmnopqrstuvwxyz";
const SPECIAL = "!@#$%&*()-_=+[]{}<>:?";

/** A random text by the inputs of RandomString and RandomPassword: so many characters, of these kinds, so many of each at least. */
export function randomText(inputs: Properties): string {
  const kinds = characterKinds(inputs);
  const all = kinds.filter(({ allowed }) => allowed).flatMap(({ characters }) => Array.from(characters));
  const least = kinds.flatMap(({ characters, min }) => pick(Array.from(characters), min));
  return shuffle([...least, ...pick(all, Number(inputs.length) - least.length)]).join("");
}

/** What is wrong with the inputs of RandomString or RandomPassword taken together. */
export function textFailures(inputs: Properties): CheckFailure[] {
  const kinds = characterKinds(inputs);
  const least = kinds.reduce((sum, { min }) => sum + min, 0);
  const failures: CheckFailure[] = [];
  if (Number(inputs.length) < least) {
    failures.push({ property: "length", reason: `"length" is below the sum of the minimums, ${String(least)}` });
  }
  if (!kinds.some(({ allowed, characters }) => allowed && characters !== "")) {
    failures.push({ property: "special", reason: "one of upper, lower, numeric and special must be true" });
  }
  if (inputs.number !== undefined && inputs.numeric !== undefined && inputs.number !== inputs.numeric) {
    failures.push({ property: "number", reason: '"number" is the old name of "numeric": give "numeric" alone' });
  }
  return failures;
}

/** `number` is the old name of `numeric`: the outputs have both. */
export function isNumeric(inputs: Properties): boolean {
  return (inputs.numeric ?? inputs.number ?? true) === true;
}

interface CharacterKind {
  readonly characters: string;
  readonly allowed: boolean;
  readonly min: number;
}

function characterKinds(inputs: Properties): CharacterKind[] {
  const own = inputs.overrideSpecial;
  const special = typeof own === "string" && own !== "" ? own : SPECIAL;
  return [
    { characters: LOWER.toUpperCase(), allowed: inputs.upper !== false, min: Number(inputs.minUpper ?? 0) },
    { characters: LOWER, allowed: inputs.lower !== false, min: Number(inputs.minLower ?? 0) },
    { characters: DIGITS, allowed: isNumeric(inputs), min: Number(inputs.minNumeric ?? 0) },
    { characters: special, allowed: inputs.special !== false, min: Number(inputs.minSpecial ?? 0) },
  ];
}

function pick(characters: readonly string[], count: number): string[] {
  return Array.from({ length: count }, () => characters[randomInt(characters.length)] ?? "");
}

/** Fisher–Yates: the characters of the minimums must not all stand at the front. */
function shuffle(characters: string[]): string[] {
  for (let last = characters.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [characters[last], characters[other]] = [characters[other] ?? "", characters[last] ?? ""];
  }
  return characters;
}
