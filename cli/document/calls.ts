/** Adds a call to the text of a document, or takes one out. What comes out is checked: it says what was meant, and it is a document without problems. */
import { isMap, isScalar, isSeq, parseDocument, type Pair, type YAMLMap, type YAMLSeq } from "yaml";
import { isDeepStrictEqual } from "node:util";
import { endOf, isOver, MeshDocumentError, parseDocument as parseMesh, type CallDeclaration } from "../../mesh";
import { CliError } from "../exit-status";
import { addList, appendItem, fillList, removeItem, removeKey, setText, type Plain } from "./splice";

/** A call that is granted until a date. */
export interface GrantedCall {
  readonly from: string;
  readonly to: string;
  /** Name of the callee's port; undefined: its first. */
  readonly port?: string;
  /** Date or date and time, UTC. */
  readonly until: string;
  readonly reason: string;
  readonly methods?: readonly string[];
  readonly paths?: readonly string[];
  readonly grpc?: readonly string[];
}

/**
 * The document with a call until a date; where that very call stands there with an end already, it gets the new end and reason.
 *
 * @param now as `Date.prototype.toISOString` writes it
 * @throws CliError where the call is allowed already, or the document would have problems
 */
export function grantCall(text: string, grant: GrantedCall, file: string, now: string): string {
  const end = endOf(grant.until);
  if (end === undefined) {
    throw new CliError(
      `--until: '${grant.until}' is no date of UTC; write 2026-12-31 (that day included) or 2026-12-31T18:00:00Z`,
    );
  }
  if (isOver(end, now)) throw new CliError(`--until: ${grant.until} is over already; name a later end`);
  const place = new Calls(text, file, grant.from);
  const port = place.portOf(grant.to, grant.port);
  const existing = place.find(grant.to, port);
  if (existing !== undefined) return place.checked(renewed(place, existing, grant, port));
  const call: Record<string, Plain> = {
    service: grant.to,
    ...(grant.port === undefined ? {} : { ports: [grant.port] }),
    reason: grant.reason,
    ...(grant.methods === undefined ? {} : { methods: grant.methods }),
    ...(grant.paths === undefined ? {} : { paths: grant.paths }),
    ...(grant.grpc === undefined ? {} : { grpc: grant.grpc }),
    until: grant.until,
  };
  return place.checked(place.add(call));
}

/** What a change makes of a text, and the caller's calls as they must stand there then. */
interface Change {
  readonly text: string;
  readonly calls: readonly unknown[];
}

function renewed(place: Calls, index: number, grant: GrantedCall, port: string): Change {
  const call = place.declared[index];
  const where = place.lineOf(index);
  if (call?.until === undefined) {
    throw new CliError(
      `${where}: ${grant.from} may call port ${port} of ${grant.to} already, without an end; change that call by hand`,
    );
  }
  if ((call.ports ?? [port]).length > 1) {
    throw new CliError(
      `${where}: the call has other ports too (${(call.ports ?? []).join(", ")}); change its end by hand`,
    );
  }
  if ([grant.methods, grant.paths, grant.grpc].some((rule) => rule !== undefined)) {
    throw new CliError(
      `${where}: the call is granted until ${call.until} already; to allow something else, revoke it first`,
    );
  }
  return place.renew(index, { until: grant.until, reason: grant.reason });
}

/**
 * The document without a caller's calls to a callee, or to one of its ports.
 *
 * @throws CliError where there is no such call, or the document would have problems
 */
export function revokeCall(text: string, from: string, to: string, port: string | undefined, file: string): string {
  const place = new Calls(text, file, from);
  const only = port === undefined ? undefined : place.portOf(to, port);
  const index = place.find(to, only);
  if (index === undefined) {
    const what = only === undefined ? to : `port ${only} of ${to}`;
    throw new CliError(
      `${from} declares no call to ${what}: nothing to revoke (\`access list --service ${from}\` shows its calls)`,
    );
  }
  const next = place.checked(place.remove(index, only));
  // Several calls may name several ports of one callee.
  return only === undefined && new Calls(next, file, from).find(to, undefined) !== undefined
    ? revokeCall(next, from, to, undefined, file)
    : next;
}

/** The calls of one caller, in the text and as they are read from it. */
class Calls {
  readonly declared: readonly CallDeclaration[];
  private readonly map: YAMLMap;
  private readonly pair: Pair | undefined;
  private readonly services: readonly { readonly name: string; readonly ports: readonly { readonly name: string }[] }[];
  private readonly lines: (offset: number) => number;

  constructor(
    private readonly text: string,
    private readonly file: string,
    private readonly from: string,
  ) {
    const { services } = read(text, file);
    this.services = services.map(({ name, ports = [] }) => ({ name, ports }));
    const index = services.findIndex(({ name }) => name === from);
    const service = services[index];
    if (service === undefined) throw new CliError(`--from: '${from}' is no service of ${file}; declare it there first`);
    this.declared = service.calls;
    const document = parseDocument(text, { version: "1.2", schema: "core" });
    const map = document.getIn(["services", index]);
    if (!isMap(map)) throw new CliError(`${file}: the service '${from}' can't be changed here; change it by hand`);
    this.map = map;
    this.pair = map.items.find((pair) => isScalar(pair.key) && pair.key.value === "calls");
    this.lines = (offset) => text.slice(0, offset).split("\n").length;
  }

  /** The port that is meant, or the callee's first. @throws CliError where there is none */
  portOf(to: string, port: string | undefined): string {
    const callee = this.services.find(({ name }) => name === to);
    if (callee === undefined) throw new CliError(`--to: '${to}' is no service of ${this.file}; declare it there first`);
    if (callee.ports.length === 0) throw new CliError(`--to: '${to}' is a job: it has no port, so nobody can call it`);
    const found = port === undefined ? callee.ports[0]?.name : callee.ports.find(({ name }) => name === port)?.name;
    if (found === undefined) {
      throw new CliError(
        `--port: '${to}' has no port '${port ?? ""}'; name ${callee.ports.map(({ name }) => name).join(", ")}`,
      );
    }
    return found;
  }

  /** Place of the call to a callee's port, or of the first call to the callee. */
  find(to: string, port: string | undefined): number | undefined {
    const index = this.declared.findIndex(
      (call) =>
        call.service === to && (port === undefined || (call.ports ?? [this.portOf(to, undefined)]).includes(port)),
    );
    return index < 0 ? undefined : index;
  }

  /** `mesh.yaml:47`. */
  lineOf(index: number): string {
    const item = this.seq?.items[index];
    const offset = isMap(item) ? item.range?.[0] : undefined;
    return offset === undefined ? this.file : `${this.file}:${String(this.lines(offset))}`;
  }

  add(call: Readonly<Record<string, Plain>>): Change {
    const calls = [...this.declared, call];
    if (this.pair === undefined) return { text: addList(this.text, this.map, "calls", call), calls };
    const { seq } = this;
    if (seq === undefined || (seq.items.length === 0 && this.map.flow !== true)) {
      return { text: fillList(this.text, this.pair, call), calls };
    }
    return { text: appendItem(this.text, seq, call), calls };
  }

  renew(index: number, changes: Readonly<Record<string, string>>): Change {
    let text = this.text;
    for (const [key, value] of Object.entries(changes)) {
      const seq = new Calls(text, this.file, this.from).seq;
      const item = seq?.items[index];
      if (!isMap(item)) throw this.byHand();
      text = setText(text, item, key, value);
    }
    return { text, calls: this.declared.map((call, at) => (at === index ? { ...call, ...changes } : call)) };
  }

  remove(index: number, port: string | undefined): Change {
    const { seq } = this;
    const call = this.declared[index];
    const item = seq?.items[index];
    if (seq === undefined || call === undefined || !isMap(item)) throw this.byHand();
    const ports = item.get("ports");
    if (port !== undefined && call.ports !== undefined && call.ports.length > 1 && isSeq(ports)) {
      const left = call.ports.filter((name) => name !== port);
      const text = removeItem(this.text, ports, call.ports.indexOf(port));
      return { text, calls: this.declared.map((each, at) => (at === index ? { ...each, ports: left } : each)) };
    }
    const calls = this.declared.filter((_, at) => at !== index);
    if (calls.length > 0) return { text: removeItem(this.text, seq, index), calls };
    if (this.pair === undefined) throw this.byHand();
    return { text: removeKey(this.text, this.map, this.pair), calls };
  }

  /** The changed text, if it says what was meant and nothing else, and is a document without problems. @throws CliError */
  checked({ text, calls }: Change): string {
    const before = read(this.text, this.file);
    const after = read(text, this.file, "the change would leave it with");
    const meant = before.services.map((service) => (service.name === this.from ? { ...service, calls } : service));
    if (!isDeepStrictEqual(after, { ...before, services: meant })) throw this.byHand();
    return text;
  }

  private get seq(): YAMLSeq | undefined {
    const value = this.pair?.value;
    return isSeq(value) ? value : undefined;
  }

  private byHand(): CliError {
    return new CliError(
      `${this.file}: the calls of '${this.from}' are written in a way that can't be changed here; change them by hand`,
    );
  }
}

function read(text: string, file: string, problem?: string) {
  try {
    return parseMesh(text, file);
  } catch (error) {
    if (!(error instanceof MeshDocumentError)) throw error;
    const lead = problem === undefined ? "" : `nothing was written; ${problem} `;
    throw new CliError(`${lead}${error.message.replace("; nothing was planned", "")}`);
  }
}
