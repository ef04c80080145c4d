/** Which metrics a rule asks for. */

/** A metric as an expression selects it. */
export interface Selector {
  /** Its name, or the names that a pattern stands for. */
  readonly names: readonly string[];
  /** Labels that it is selected by. */
  readonly labels: readonly string[];
  readonly text: string;
}

/** Every selector of an expression of ours: none has a `}` in a value. */
export function selectorsOf(expression: string): readonly Selector[] {
  return [...expression.matchAll(/([a-zA-Z_:][\w:]*)?\{([^}]*)\}/g)].map(([text, name, matchers = ""]) => {
    const labels = [...matchers.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)].map(([, label = ""]) => label);
    const pattern = /__name__=~"([^"]*)"/.exec(matchers)?.[1] ?? "";
    const names = name === undefined ? alternatives(pattern) : [name];
    return { names, labels: labels.filter((label) => label !== "__name__"), text };
  });
}

/** The names that a pattern of ours stands for: `a|b`, `a_(b|c)_d`. */
function alternatives(pattern: string): string[] {
  const [, before = "", middles = pattern, after = ""] = /^(.*)\(([^)]*)\)(.*)$/.exec(pattern) ?? [];
  return middles.split("|").map((middle) => `${before}${middle}${after}`);
}
