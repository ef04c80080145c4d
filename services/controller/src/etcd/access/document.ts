import { z } from "zod";

/** Who may do what in etcd: what its users and roles are kept equal to. The superuser `root` is not in it. */
export const accessSchema = z.strictObject({
  roles: z.record(
    z.string().min(1),
    z.array(z.strictObject({ prefix: z.string().regex(/^\/.*\/$/), access: z.enum(["read", "write"]) })),
  ),
  users: z.record(
    z.string().min(1),
    z.strictObject({
      roles: z.array(z.string().min(1)),
      /** Whether it logs in by a password, or else by the common name of its certificate alone. */
      password: z.boolean(),
    }),
  ),
});

export type Access = z.infer<typeof accessSchema>;
/** The right to all keys that begin with a prefix; `write` includes to read. */
export type Permission = Access["roles"][string][number];

/** The superuser: etcd has nobody log in before it is there. */
export const ROOT = "root";
