import { z } from "zod";
import { rangeEndOf } from "../../../../../mesh/etcd.js";
import { EtcdError, type EtcdClient } from "../client.js";
import { ROOT, type Permission } from "./document.js";

const NOT_ENABLED = /authentication is not enabled/;
/** What etcd says where a user or a role is not there. */
const MISSING = /(user|role) name not found/;

const names = z.object({ users: z.array(z.string()).default([]), roles: z.array(z.string()).default([]) });
const status = z.object({ enabled: z.boolean().default(false), authRevision: z.string().default("0") });
const permissions = z.object({
  perm: z
    .array(
      z.object({
        permType: z.string().default("READ"),
        key: z.string().default(""),
        range_end: z.string().default(""),
      }),
    )
    .default([]),
});

/** A right as etcd holds it; one that is none of ours, a single key for one, can be taken away as well. */
export interface HeldPermission {
  readonly key: string;
  readonly rangeEnd: string;
  readonly access: "read" | "write" | "other";
}

/** etcd's users and roles, in root's name: also while etcd asks for no user yet. */
export class Directory {
  private enforced = false;

  constructor(private readonly client: EtcdClient) {}

  /**
   * What changes with every change of users and roles; undefined while etcd asks nobody who he is.
   *
   * @throws where it doesn't answer, or refuses root's password
   */
  async revision(): Promise<string | undefined> {
    try {
      const { enabled, authRevision } = status.parse(await this.client.request(ROOT, "auth/status", {}));
      this.enforced = enabled;
      return enabled ? authRevision : undefined;
    } catch (error) {
      if (!(error instanceof EtcdError && NOT_ENABLED.test(error.message))) {
        throw error;
      }
      this.enforced = false;
      return undefined;
    }
  }

  /** From now on nobody does anything without a right to it. */
  async enforce(): Promise<void> {
    await this.ask("auth/enable", {});
    await this.client.logIn(ROOT);
    this.enforced = true;
  }

  async users(): Promise<string[]> {
    return names.parse(await this.ask("auth/user/list", {})).users;
  }

  async roles(): Promise<string[]> {
    return names.parse(await this.ask("auth/role/list", {})).roles;
  }

  /** @param password none: nobody logs in by one */
  async addUser(name: string, password: string | undefined): Promise<void> {
    const options = { no_password: password === undefined };
    await this.ask("auth/user/add", { name, ...(password === undefined ? {} : { password }), options });
  }

  /** Whether a user logs in by this password. Only where etcd asks who somebody is. */
  async accepts(name: string): Promise<boolean> {
    try {
      await this.client.logIn(name);
      return true;
    } catch (error) {
      if (error instanceof EtcdError && /authentication failed/.test(error.message)) {
        return false;
      }
      throw error;
    }
  }

  async setPassword(name: string, password: string): Promise<void> {
    await this.ask("auth/user/changepw", { name, password });
  }

  async deleteUser(name: string): Promise<void> {
    await this.unlessMissing(this.ask("auth/user/delete", { name }));
  }

  async rolesOf(name: string): Promise<string[]> {
    return names.parse(await this.ask("auth/user/get", { name })).roles;
  }

  async give(user: string, role: string): Promise<void> {
    await this.ask("auth/user/grant", { user, role });
  }

  async take(name: string, role: string): Promise<void> {
    await this.ask("auth/user/revoke", { name, role });
  }

  async addRole(name: string): Promise<void> {
    await this.ask("auth/role/add", { name });
  }

  async deleteRole(role: string): Promise<void> {
    await this.unlessMissing(this.ask("auth/role/delete", { role }));
  }

  async permissionsOf(role: string): Promise<HeldPermission[]> {
    const { perm } = permissions.parse(await this.ask("auth/role/get", { role }));
    return perm.map(({ permType, key, range_end }) => ({
      key: decoded(key),
      rangeEnd: decoded(range_end),
      access: permType === "READ" ? "read" : permType === "READWRITE" ? "write" : "other",
    }));
  }

  async permit(role: string, { prefix, access }: Permission): Promise<void> {
    const permType = access === "write" ? "READWRITE" : "READ";
    const perm = { permType, key: encoded(prefix), range_end: encoded(rangeEndOf(prefix)) };
    await this.ask("auth/role/grant", { name: role, perm });
  }

  async forbid(role: string, { key, rangeEnd }: HeldPermission): Promise<void> {
    await this.ask("auth/role/revoke", { role, key: encoded(key), range_end: encoded(rangeEnd) });
  }

  private ask(path: string, body: unknown): Promise<unknown> {
    return this.enforced ? this.client.request(ROOT, path, body) : this.client.requestUnnamed(path, body);
  }

  private async unlessMissing(request: Promise<unknown>): Promise<void> {
    try {
      await request;
    } catch (error) {
      if (!(error instanceof EtcdError && MISSING.test(error.message))) {
        throw error;
      }
    }
  }
}

function encoded(text: string): string {
  return Buffer.from(text, "latin1").toString("base64");
}

function decoded(base64: string): string {
  return Buffer.from(base64, "base64").toString("latin1");
}
