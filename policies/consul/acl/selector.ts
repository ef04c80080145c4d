/**
 * Selectors of binding rules: which logins a rule is about (https://developer.hashicorp.com/consul/api-docs/features/filtering, go-bexpr 0.1).
 *
 * What compares parts of texts (`in`, `contains`, `matches`) is not read: whom it selects besides those who are there, can't be told.
 */

/** A selector that isn't read. */
export class SelectorError extends Error {
  override readonly name = "SelectorError";
}

/** Whether a login matches. Fields are named as in the selector: `serviceaccount.namespace`. */
export type Selector = (fields: ReadonlyMap<string, string>) => boolean;

/**
 * @param known names of the fields that a login has
 * @throws SelectorError for what is no selector, and for one about fields that a login doesn't have
 */
export function parseSelector(text: string, known: readonly string[]): Selector {
  if (text === "") return () => true;
  const parser = new Parser(tokensOf(text), known);
  const selector = parser.or();
  if (!parser.isAtEnd) throw new SelectorError("something follows its end");
  return selector;
}

/** Texts that a selector compares with: logins that differ in nothing that it tells apart are alike. */
export function comparedTexts(text: string): readonly string[] {
  return tokensOf(text).flatMap(({ kind, value }) => (kind === "word" && WORDS.includes(value) ? [] : [value]));
}

interface Token {
  readonly kind: "string" | "word" | "sign";
  readonly value: string;
}

const WORDS: readonly string[] = ["and", "or", "not", "is", "empty"];
const TOKEN = /\s*(?:"([^"\\]*)"|`([^`]*)`|([A-Za-z][\w.]*|-?\d+(?:\.\d+)?)|(==|!=|[()]))\s*/y;
function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const [, quoted, raw, word, sign] = TOKEN.exec(text) ?? [];
    if (quoted !== undefined) tokens.push({ kind: "string", value: quoted });
    else if (raw !== undefined) tokens.push({ kind: "string", value: raw });
    else if (word !== undefined) tokens.push({ kind: "word", value: word });
    else if (sign !== undefined) tokens.push({ kind: "sign", value: sign });
    else throw new SelectorError("it can't be read");
  }
  return tokens;
}

class Parser {
  private at = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly known: readonly string[],
  ) {}

  get isAtEnd(): boolean {
    return this.at === this.tokens.length;
  }

  or(): Selector {
    const left = this.and();
    if (!this.take("word", "or")) return left;
    const right = this.or();
    return (fields) => left(fields) || right(fields);
  }

  private and(): Selector {
    const left = this.not();
    if (!this.take("word", "and")) return left;
    const right = this.and();
    return (fields) => left(fields) && right(fields);
  }

  private not(): Selector {
    if (this.take("word", "not")) {
      const operand = this.not();
      return (fields) => !operand(fields);
    }
    if (!this.take("sign", "(")) return this.match();
    const inner = this.or();
    if (!this.take("sign", ")")) throw new SelectorError("a parenthesis is not closed");
    return inner;
  }

  private match(): Selector {
    const field = this.field(this.value());
    if (this.take("sign", "==")) return equals(field, this.value().value);
    if (this.take("sign", "!=")) return negated(true, equals(field, this.value().value));
    if (!this.take("word", "is")) throw new SelectorError("it compares otherwise than by `==`, `!=` and `is empty`");
    const isNotEmpty = this.take("word", "not");
    if (!this.take("word", "empty")) throw new SelectorError("`is` stands before something else than `empty`");
    return negated(isNotEmpty, equals(field, ""));
  }

  private value(): Token {
    const token = this.tokens[this.at];
    if (token === undefined || token.kind === "sign") throw new SelectorError("a value is missing");
    this.at += 1;
    return token;
  }

  private field({ kind, value }: Token): string {
    if (kind !== "word" || !this.known.includes(value))
      throw new SelectorError(`${JSON.stringify(value)} is nothing that is known of a login`);
    return value;
  }

  private take(kind: Token["kind"], value: string): boolean {
    const token = this.tokens[this.at];
    if (token?.kind !== kind || token.value !== value) return false;
    this.at += 1;
    return true;
  }
}

function equals(field: string, value: string): Selector {
  return (fields) => fields.get(field) === value;
}

function negated(isNegated: boolean, selector: Selector): Selector {
  return isNegated ? (fields) => !selector(fields) : selector;
}
