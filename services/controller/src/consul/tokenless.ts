/** What Consul's servers give to whoever shows no token by how they are configured, whatever its ACLs say. */
import type { z } from "zod";
import { ACL_READER } from "../../../../mesh/consul.js";
import { AnswerTooLong } from "../registry/exchange.js";
import { namesSchema, peersSchema, selfSchema, stateSchema } from "./acl-answers.js";
import { ANONYMOUS } from "./acl-grants.js";
import { isRefusal, type ConsulClient } from "./client.js";

/** Bytes of one answer that are read. A longer one shows something, whatever it is. */
const LIMIT = 64 * 2 ** 10;

/** What a server gives. */
export interface Opening {
  readonly host: string;
  /** The token by which it serves whoever shows none; undefined where that is nobody's. */
  readonly token: string | undefined;
  /** What it shows that others are shown by an ACL. */
  readonly shows: readonly string[];
}

export type TokenlessConsul = Pick<ConsulClient<typeof ACL_READER>, "host" | "read" | "readOpenly">;

/**
 * Asks each server: a default token and `default_policy` are a server's own. Asked are those that Consul counts among its servers, and whichever answers at the configured address. Where
 * one of the former doesn't answer, what it gave before stands for as long as it is counted.
 */
export class Tokenless {
  private known: ReadonlyMap<string, Opening> = new Map();

  constructor(private readonly consul: TokenlessConsul) {}

  /**
   * What those servers give that give anything.
   *
   * @throws Error where none answers at the configured address
   */
  async read(): Promise<readonly Opening[]> {
    const own = this.consul.host;
    const { value } = await this.consul.read(ACL_READER, "/v1/status/peers", LIMIT);
    const peers = new Set(peersSchema.parse(value).map((peer) => new URL(`https://${peer}`).hostname));
    peers.add(own);
    const asked = await Promise.all([...peers].map((host) => (host === own ? this.ask(host) : this.asked(host))));
    const found = asked.filter((opening) => opening !== undefined).filter(isOpen);
    this.known = new Map(found.map((opening) => [opening.host, opening]));
    // Which of them answers at the configured address may be another one each time.
    const others = found.filter(({ host }) => host !== own);
    return (others.length === 0 ? found : others).sort((one, other) => (one.host < other.host ? -1 : 1));
  }

  private async asked(host: string): Promise<Opening | undefined> {
    try {
      return await this.ask(host);
    } catch {
      return this.known.get(host);
    }
  }

  /** By `stale` a server answers itself, and doesn't pass the question on to the one that leads. */
  private async ask(host: string): Promise<Opening> {
    const [self, names, state] = await Promise.all([
      this.shown(host, "/v1/acl/token/self?stale", selfSchema),
      this.shown(host, "/v1/catalog/services?stale", namesSchema),
      this.shown(host, "/v1/agent/self", stateSchema),
    ]);
    const hasNames = names !== undefined && (names === TOO_LONG || Object.keys(names).length > 0);
    return {
      host,
      token: self === TOO_LONG ? "of a very long description" : tokenOf(self),
      shows: [...(hasNames ? ["names"] : []), ...(state === undefined ? [] : ["the server's own configuration"])],
    };
  }

  /** What is shown at a path; undefined where nothing is. */
  private async shown<T>(host: string, path: string, schema: z.ZodType<T>): Promise<T | typeof TOO_LONG | undefined> {
    try {
      return schema.parse((await this.consul.readOpenly(host, path, LIMIT)).value);
    } catch (error) {
      if (error instanceof AnswerTooLong) return TOO_LONG;
      if (isRefusal(error)) return undefined;
      throw error;
    }
  }
}

const TOO_LONG = Symbol("an answer that is too long");

/** A server may be told to serve by the anonymous token itself, as it does where it is told nothing. */
function tokenOf(self: z.output<typeof selfSchema> | undefined): string | undefined {
  return self?.AccessorID === ANONYMOUS.accessor ? undefined : self?.AccessorID;
}

function isOpen({ token, shows }: Opening): boolean {
  return token !== undefined || shows.length > 0;
}
