/** Which bindings concern the zones. Pure. */
import { z } from "zod";
import { ZONES } from "../../../../mesh/model.js";
import { namespaceOf } from "../../../../mesh/names.js";
import type { LiveObject } from "./live.js";

const schema = z.object({
  roleRef: z.object({ kind: z.string().default(""), name: z.string().default("") }).optional(),
  subjects: z.array(z.object({ kind: z.string(), name: z.string(), namespace: z.string().optional() })).nullish(),
});

const NAMESPACES: readonly string[] = ZONES.map(namespaceOf);
const EVERYBODY: readonly string[] = ["system:authenticated", "system:unauthenticated", "system:serviceaccounts"];
/** Those that Kubernetes makes for everybody: to ask what there is, and who oneself is. */
const OF_KUBERNETES: readonly string[] = [
  "system:basic-user",
  "system:discovery",
  "system:public-info-viewer",
  "system:service-account-issuer-discovery",
];

/** Accounts of the zones to which a binding gives rights, as `<namespace>/<account>`; without an account: all of the namespace's, or everybody. */
export function accountsOf({ name, fields }: Pick<LiveObject, "name" | "fields">): readonly string[] {
  const parsed = schema.safeParse(JSON.parse(fields));
  if (!parsed.success) return [];
  const { roleRef, subjects } = parsed.data;
  return (subjects ?? []).flatMap((subject) => {
    const namespace = subject.namespace ?? "";
    if (subject.kind === "ServiceAccount")
      return NAMESPACES.includes(namespace) ? [`${namespace}/${subject.name}`] : [];
    const [, user = "", account = ""] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(subject.name) ?? [];
    if (subject.kind === "User") return NAMESPACES.includes(user) ? [`${user}/${account}`] : [];
    const [, group = ""] = /^system:serviceaccounts:(.+)$/.exec(subject.name) ?? [];
    if (NAMESPACES.includes(group)) return [`${group}/`];
    const isOwn = OF_KUBERNETES.includes(name) && roleRef?.name === name;
    return EVERYBODY.includes(subject.name) && !isOwn ? ["/"] : [];
  });
}
