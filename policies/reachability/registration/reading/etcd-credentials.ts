import { Unjudgeable } from "../../../judgement/field";
import type { EtcdCredential } from "../etcd";
import { readAccessDocument } from "./access-document";
import type { Holdings } from "./holdings";
import type { KubernetesReading } from "./kubernetes";
import type { HoldersOf } from "./readers";

/** etcd's superuser, which is in no document. */
const ROOT = { name: "root", isRoot: true, permissions: [] };

/**
 * The users of the keeper's document, and root. Who has a user's password is that user, and who has a key for which there is a certificate with the user's name:
 * etcd takes its common name for a user, whether that has a password or not.
 *
 * Which of the keeper's passwords is whose is not known before the update, and told by what each comes from, `<…>-<user>-password`.
 *
 * @param holdings undefined where nobody knows in which objects passwords and keys lie
 * @throws Unjudgeable
 */
export function etcdCredentials(
  { title, entries }: NonNullable<KubernetesReading["document"]>,
  holdersOf: HoldersOf,
  holdings: Pick<Holdings, "keys" | "passwords"> | undefined,
): readonly EtcdCredential[] {
  const named = entries.flatMap((entry) => readAccessDocument(entry)).filter(({ name }) => name !== ROOT.name);
  const users = [...named, ROOT];
  const passwords = passwordsByUser(
    users.map(({ name }) => name),
    holdings?.passwords,
  );
  return users.map((user) => ({
    title: `etcd's user ${user.name}`,
    place: { object: title, path: "" },
    holders: holdings && holdersOf([...(passwords.get(user.name) ?? []), ...(holdings.keys.get(user.name) ?? [])]),
    user,
    isBuiltIn: user === ROOT,
  }));
}

function passwordsByUser(
  users: readonly string[],
  passwords: Holdings["passwords"] = new Map(),
): ReadonlyMap<string, readonly string[]> {
  const byUser = new Map<string, readonly string[]>();
  for (const [source, objects] of passwords) {
    const [user] = users.filter((name) => source.endsWith(`-${name}-password`)).sort((a, b) => b.length - a.length);
    if (user === undefined)
      throw new Unjudgeable(
        "",
        `it can't be told whose password at etcd ${source} is, of which ${objects.join(", ")} is made`,
        "make the password of each user by a resource `<…>-<user>-password` of its own",
      );
    byUser.set(user, [...(byUser.get(user) ?? []), ...objects]);
  }
  return byUser;
}
