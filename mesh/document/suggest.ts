/** "Did you mean …?" */

/**
 * The candidate nearest to a word, by edit distance, or undefined when none is near enough to be a misspelling.
 * Ties go to the first candidate.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > 64) return undefined;
  const allowed = Math.max(1, Math.floor(word.length / 3));
  let best: string | undefined;
  let bestDistance = allowed + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `did you mean 'ops'?`, or the fallback when nothing is near. */
export function didYouMean(word: unknown, candidates: Iterable<string>, fallback: string): string {
  const near = typeof word === "string" ? nearest(word, candidates) : undefined;
  return near === undefined ? fallback : `did you mean '${near}'?`;
}

/** `a, b or c`; long lists are cut. */
export function listed(words: Iterable<string>): string {
  const all = [...words];
  if (all.length === 0) return "none";
  const shown = all.slice(0, 12);
  const rest = all.length - shown.length;
  if (rest > 0) return `${shown.join(", ")} … (${String(rest)} more)`;
  const last = shown.pop() ?? "";
  return shown.length === 0 ? last : `${shown.join(", ")} or ${last}`;
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
