import { ETCD_ROOT, rangeEndOf } from "../../../../../mesh/etcd.js";
import type { Log } from "../../log.js";
import type { EtcdClient } from "../client.js";
import { EtcdStore } from "../store.js";
import { Directory, type HeldPermission } from "./directory.js";
import { ROOT, type Access, type Permission } from "./document.js";

/**
 * Keeps etcd's users and roles equal to a document, on an empty etcd too. It is the one that is root.
 *
 * Until it has been there, an etcd that is new, or lost its state, asks nobody who he is. So once it does, all that was written before goes: whoever has the
 * right to it writes it again.
 */
export class AccessKeeper {
  private readonly directory: Directory;
  private readonly store: EtcdStore;
  /** Revision of the users and roles at which they were as they should be. */
  private kept: string | undefined;

  constructor(
    private readonly client: EtcdClient,
    private readonly access: Access,
    private readonly log: Log,
  ) {
    this.directory = new Directory(client);
    this.store = new EtcdStore(client, ROOT);
  }

  /** Puts everything right, once. @throws where it could not, at the first failure */
  async converge(): Promise<void> {
    const found = await this.directory.revision();
    // To try a password costs etcd a tenth of a second, so it is done where something has changed.
    if (found === undefined || found !== this.kept) {
      await this.keepRoles();
      await this.keepUsers(found !== undefined);
    }
    if (found === undefined) {
      await this.directory.enforce();
      this.log.info("etcd asks for users now");
      await this.store.deleteBelow(ETCD_ROOT);
    }
    await this.purge();
    this.kept = await this.directory.revision();
  }

  private async keepRoles(): Promise<void> {
    const known = await this.directory.roles();
    for (const [role, wanted] of Object.entries(this.access.roles)) {
      if (!known.includes(role)) {
        await this.directory.addRole(role);
        this.log.info("role added", { role });
      }
      await this.keepPermissions(role, wanted);
    }
    for (const role of known.filter((name) => name !== ROOT && !Object.hasOwn(this.access.roles, name))) {
      await this.directory.deleteRole(role);
      this.log.info("role deleted", { role });
    }
    if (!known.includes(ROOT)) {
      await this.directory.addRole(ROOT);
    }
  }

  private async keepPermissions(role: string, wanted: readonly Permission[]): Promise<void> {
    const held = await this.directory.permissionsOf(role);
    for (const permission of held.filter((one) => !wanted.some((other) => isSame(other, one)))) {
      await this.directory.forbid(role, permission);
      this.log.info("permission taken away", { role, prefix: permission.key });
    }
    for (const permission of wanted.filter((one) => !held.some((other) => isSame(one, other)))) {
      await this.directory.permit(role, permission);
      this.log.info("permission given", { role, prefix: permission.prefix });
    }
  }

  private async keepUsers(enforced: boolean): Promise<void> {
    const known = await this.directory.users();
    const wanted = { ...this.access.users, [ROOT]: { roles: [ROOT], password: true } };
    for (const [user, { roles, password }] of Object.entries(wanted)) {
      if (!known.includes(user)) {
        await this.directory.addUser(user, password ? await this.client.password(user) : undefined);
        this.log.info("user added", { user });
      } else if (password && !(enforced && (await this.directory.accepts(user)))) {
        await this.directory.setPassword(user, await this.client.password(user));
        this.log.info("password set", { user });
      }
      await this.keepMembership(user, roles);
    }
    for (const user of known.filter((name) => !Object.hasOwn(wanted, name))) {
      await this.directory.deleteUser(user);
      this.log.info("user deleted", { user });
    }
  }

  private async keepMembership(user: string, wanted: readonly string[]): Promise<void> {
    const held = await this.directory.rolesOf(user);
    for (const role of held.filter((name) => !wanted.includes(name))) await this.directory.take(user, role);
    for (const role of wanted.filter((name) => !held.includes(name))) await this.directory.give(user, role);
  }

  /** Who lost the right to a name loses the name: nobody else could take it away. */
  private async purge(): Promise<void> {
    const written = Object.values(this.access.roles)
      .flat()
      .filter(({ access }) => access === "write");
    for (const { key } of await this.store.below(ETCD_ROOT)) {
      if (!written.some(({ prefix }) => key.startsWith(prefix))) {
        await this.store.delete(key);
        this.log.warn("record of nobody removed", { key });
      }
    }
  }
}

function isSame(wanted: Permission, held: HeldPermission): boolean {
  return wanted.prefix === held.key && rangeEndOf(wanted.prefix) === held.rangeEnd && wanted.access === held.access;
}
