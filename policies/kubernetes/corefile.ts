/** One directive of a server block, with its words and those of the block below it. */
export interface Directive {
  readonly words: readonly string[];
  readonly options: readonly (readonly string[])[];
}

export interface ServerBlock {
  /** The names and ports that it answers for. */
  readonly keys: readonly string[];
  readonly directives: readonly Directive[];
}

/**
 * Reads CoreDNS's configuration (https://coredns.io/manual/configuration/) as far as the mesh speaks it: server blocks, and directives with one further block at most, a
 * line each. Undefined for any other text: snippets, imports, variables, quotes, comments.
 */
export function parseCorefile(text: string): readonly ServerBlock[] | undefined {
  if (/["#`]|\{[$%]/.test(text)) return undefined;
  const blocks: ServerBlock[] = [];
  const open: string[][][] = [];
  let block: { keys: string[]; directives: { words: string[]; options: string[][] }[] } | undefined;
  for (const line of text.split("\n")) {
    const words = line.split(/\s+/).filter((word) => word !== "");
    if (words.length === 0) continue;
    const opens = words.at(-1) === "{";
    const said = opens ? words.slice(0, -1) : words;
    if (said.some((word) => /^[{}]$/.test(word)) && (opens || words.length > 1)) return undefined;
    if (words.length === 1 && words[0] === "}") {
      if (open.pop() !== undefined) continue;
      if (block === undefined) return undefined;
      blocks.push(block);
      block = undefined;
    } else if (block === undefined) {
      if (!opens || said.length === 0) return undefined;
      block = { keys: said, directives: [] };
    } else if (open[0] !== undefined) {
      if (opens) return undefined;
      open[0].push(words);
    } else {
      const directive = { words: said, options: [] as string[][] };
      block.directives.push(directive);
      if (opens) open.push(directive.options);
    }
  }
  return block === undefined ? blocks : undefined;
}
