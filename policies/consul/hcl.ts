/** HashiCorp's configuration language (HCL 1), as far as Consul's ACL rules are written in it. */

/** Text that is none, or that goes beyond what is read here. It says nothing of the text: that may hold a secret. */
export class HclError extends Error {
  override readonly name = "HclError";
}

export type HclValue = string | HclObject;

/** What stands between braces, or in a whole text, in its order. */
export type HclObject = readonly HclItem[];

/** `service "web" { … }` has two keys, `operator = "read"` one. */
export interface HclItem {
  readonly keys: readonly string[];
  readonly value: HclValue;
}

/**
 * Reads objects of strings and objects, with comments. Heredocs, interpolations, numbers and lists are not read.
 *
 * @throws HclError
 */
export function parseHcl(text: string): HclObject {
  const reader = new Reader(text);
  const object = reader.items();
  if (!reader.isAtEnd) throw new HclError("a brace too many");
  return object;
}

const BLANK = /(?:\s+|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const IDENTIFIER = /[A-Za-z_][\w.-]*/y;
const STRING = /"((?:[^"\\\n]|\\["\\nrt])*)"/y;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

class Reader {
  private at = 0;

  constructor(private readonly text: string) {
    this.blank();
  }

  get isAtEnd(): boolean {
    return this.at === this.text.length;
  }

  /** Up to the closing brace, or the end. */
  items(): HclItem[] {
    const items: HclItem[] = [];
    while (!this.isAtEnd && this.text[this.at] !== "}") {
      items.push(this.item());
      this.take(",");
    }
    return items;
  }

  private item(): HclItem {
    const keys: string[] = [];
    for (let key = this.key(); key !== undefined; key = this.key()) keys.push(key);
    if (keys.length === 0) throw new HclError("a key is missing");
    if (!this.take("=")) return { keys, value: this.object() };
    return { keys, value: this.string() ?? this.object() };
  }

  private key(): string | undefined {
    return this.match(IDENTIFIER)?.[0] ?? this.string();
  }

  private object(): HclObject {
    if (!this.take("{")) throw new HclError("it is neither a string nor an object");
    const items = this.items();
    if (!this.take("}")) throw new HclError("a brace is missing");
    return items;
  }

  private string(): string | undefined {
    const raw = this.match(STRING)?.[1];
    if (raw?.includes("${") === true) throw new HclError("it has an interpolation");
    return raw?.replace(/\\(.)/g, (_, character: string) => ESCAPES[character] ?? character);
  }

  private take(token: string): boolean {
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    this.blank();
    return true;
  }

  private match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text) ?? undefined;
    if (found !== undefined) {
      this.at = pattern.lastIndex;
      this.blank();
    }
    return found;
  }

  private blank(): void {
    BLANK.lastIndex = this.at;
    if (BLANK.test(this.text)) this.at = BLANK.lastIndex;
  }
}
