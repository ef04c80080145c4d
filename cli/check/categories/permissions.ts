/** Whether whoever deploys may do what the program does, and whether nobody else may do more than is declared. */
import { counted, judged, warning } from "../check";
import type { Check } from "../check";
import type { Right } from "../cluster/cluster";
import { KINDS } from "../cluster/live";
import { titleOf } from "../cluster/objects";
import type { RoleBinding } from "../cluster/objects";
import { declaredIn } from "../context";
import type { CheckContext } from "../context";
import { compared } from "../plan/differences";
import { deployRights, granted, readRights, rightText } from "../plan/rights";

const MESH_NAMESPACE = "lucid-mesh";
const RIGHTS = "configuration.md#a-cluster-of-your-own";
const ADMISSION = "admission.md#what-they-refuse";
/** Groups that every service account of the zones is in. */
const GROUPS = /^system:(serviceaccounts(:lucid-.*)?|authenticated|unauthenticated)$/;
/** What Kubernetes itself gives those groups bears this label. */
const DEFAULT_RIGHTS = "kubernetes.io/bootstrapping";

export const permissionChecks: readonly Check[] = [
  {
    id: "rights-to-deploy",
    category: "permissions",
    phase: "before",
    title: "this user may make, change and delete every kind of object of the mesh",
    tells:
      "Asks the API server for each kind and namespace of the plan, of a part's stack for its own (SelfSubjectAccessReview). What admission refuses besides is not asked. It speaks of the user of this kubeconfig: `pulumi up` may run as another.",
    remedy: "grant what is named to whoever runs `pulumi up`",
    more: RIGHTS,
    needs: ["apis-served"],
    seconds: 60,
    run: async (context) => {
      const rights = await deployRights(context);
      return judged(
        await lacking(context, rights),
        "rights are missing",
        `${String(rights.length)} kinds by namespace`,
      );
    },
  },
  {
    id: "rights-to-grant",
    category: "permissions",
    phase: "before",
    title: "this user may grant what the mesh's Roles grant",
    tells:
      "Kubernetes lets nobody grant a right that he lacks, but by the verbs `escalate` and `bind`. Asks for these, or else for each right of the planned Roles.",
    remedy:
      "grant this user what is named, or `escalate` and `bind` on roles in the zones' namespaces and kube-node-lease, and on clusterroles",
    more: RIGHTS,
    needs: ["apis-served"],
    seconds: 60,
    run: async (context) => {
      const group = "rbac.authorization.k8s.io";
      const own = declaredIn(context);
      const roles = [...(await own.own("Role")), ...(await own.own("ClusterRole"))];
      const findings: string[] = [];
      for (const role of roles) {
        const { namespace } = role.metadata;
        const resource = namespace === undefined ? "clusterroles" : "roles";
        const place = namespace === undefined ? {} : { namespace };
        const may = (verb: string) => context.cluster.may({ verb, group, resource, ...place });
        if ((await may("escalate")) && (await may("bind"))) continue;
        findings.push(...(await lacking(context, granted(role))));
      }
      return judged([...new Set(findings)], "Roles can't be made", counted(roles.length, "Role"));
    },
  },
  {
    id: "rights-to-forward",
    category: "permissions",
    phase: "before",
    title: "this user may forward ports to the pods of zone mesh",
    tells:
      "Asks for the right by which `pulumi up` reaches Consul, where that is the discovery backend, and this command the controller, Prometheus and Jaeger. Whether a proxy before the API server lets WebSockets through is not seen.",
    remedy: "grant `create` and `get` on pods/portforward in lucid-mesh and lucid-ops",
    more: RIGHTS,
    run: async (context) => {
      const rights = [MESH_NAMESPACE, "lucid-ops"].map((namespace): Right => ({
        verb: "create",
        group: "",
        resource: "pods",
        subresource: "portforward",
        namespace,
      }));
      return judged(await lacking(context, rights), "pods can't be reached");
    },
  },
  {
    id: "rights-to-check",
    category: "permissions",
    phase: "before",
    title: "this user may read all that this command looks at",
    tells:
      "Asks for the rights that these checks themselves need. Where one is missing, the checks that need it are skipped, and say so.",
    remedy: "grant this user what is named, or take what is skipped for unknown",
    more: RIGHTS,
    seconds: 60,
    run: async (context) =>
      judged(await lacking(context, readRights()), "some checks will be skipped", undefined, warning),
  },
  {
    id: "roles",
    category: "permissions",
    phase: "after",
    title: "the mesh's Roles and RoleBindings are as planned",
    tells:
      "Compares them with the plan, in the zones and in kube-node-lease, and its ClusterRoles with their bindings.",
    remedy: "run `pulumi up`, which puts them right",
    more: "controller.md#settings",
    needs: ["namespaces-there"],
    run: async (context) => {
      const { planned, live } = await rolesOf(context);
      const { absent, changed } = compared(planned, live);
      return judged([...absent, ...changed], "they are not as planned", counted(planned.length, "object"));
    },
  },
  {
    id: "roles-unknown",
    category: "permissions",
    phase: "after",
    title: "nobody has rights in the zones' namespaces by Roles that the mesh does not know",
    tells:
      "Lists Roles and RoleBindings there that are not of the plan. Whether they are harmless is for a person to say.",
    remedy: "delete what is named, or let the document's program make it",
    more: ADMISSION,
    needs: ["namespaces-there"],
    run: async (context) => {
      const { planned, live } = await rolesOf(context);
      return judged(compared(planned, live.filter(inZone)).unknown, "there are others");
    },
  },
  {
    id: "cluster-rights",
    category: "permissions",
    phase: "after",
    title: "no service of the zones has rights in the whole cluster but by the plan",
    tells:
      "Looks for ClusterRoleBindings to service accounts of the zones' namespaces, or to groups that they are in, but for those that Kubernetes itself makes, and those of the plan, whose roles are compared with it.",
    remedy: "delete the binding, or narrow its subjects",
    more: ADMISSION,
    needs: ["document"],
    run: async (context) => {
      const bindings = await context.live.list(KINDS.clusterRoleBindings);
      // Those are held against the plan with the roles.
      const planned = await declaredIn(context).objects("ClusterRoleBinding");
      const names = new Set(planned.map(({ metadata }) => metadata.name));
      const found = bindings
        .filter(({ metadata }) => !names.has(metadata.name))
        .filter(({ metadata }) => metadata.labels?.[DEFAULT_RIGHTS] === undefined)
        .flatMap((binding) =>
          subjectsInZones(binding).map((who) => `${titleOf(binding)} gives ${binding.roleRef.name} to ${who}`),
        );
      return judged(found, "services have rights that RBAC does not confine to their zone");
    },
  },
];

async function lacking({ cluster }: CheckContext, rights: readonly (Right | readonly Right[])[]): Promise<string[]> {
  const answers = await Promise.all(
    rights.map(async (one) => {
      // The first of several would do for all of them.
      const [right, ...others] = Array.isArray(one) ? (one as readonly Right[]) : [one as Right];
      if (right === undefined || (await cluster.may(right))) return [];
      if (others.length === 0) return [rightText(right)];
      const single = await Promise.all(
        others.map(async (other) => ((await cluster.may(other)) ? [] : [rightText(other)])),
      );
      return single.flat();
    }),
  );
  return answers.flat();
}

async function rolesOf(context: CheckContext) {
  const declared = declaredIn(context);
  const namespaced = [...(await declared.objects("Role")), ...(await declared.objects("RoleBinding"))];
  const wide = [...(await declared.objects("ClusterRole")), ...(await declared.objects("ClusterRoleBinding"))];
  const planned = [...namespaced, ...wide];
  const elsewhere = [...new Set(namespaced.filter((one) => !inZone(one)).map(({ metadata }) => metadata.namespace))];
  const isPlanned = ({ metadata }: { readonly metadata: { readonly name: string } }) =>
    wide.some((one) => one.metadata.name === metadata.name);
  const live = [
    ...(await context.live.inZones(KINDS.roles)),
    ...(await context.live.inZones(KINDS.roleBindings)),
    ...(await context.live.list(KINDS.clusterRoles)).filter(isPlanned),
    ...(await context.live.list(KINDS.clusterRoleBindings)).filter(isPlanned),
    ...(
      await Promise.all(
        elsewhere.flatMap((namespace) => [
          context.live.list(KINDS.roles, namespace),
          context.live.list(KINDS.roleBindings, namespace),
        ]),
      )
    ).flat(),
  ];
  return { planned, live };
}

function inZone({ metadata }: { readonly metadata: { readonly namespace?: string } }): boolean {
  return metadata.namespace?.startsWith("lucid-") ?? false;
}

function subjectsInZones({ subjects = [] }: RoleBinding): readonly string[] {
  return subjects.flatMap(({ kind, name, namespace }) => {
    if (kind === "ServiceAccount" && namespace?.startsWith("lucid-") === true) return [`${namespace}/${name}`];
    return kind === "Group" && GROUPS.test(name) ? [`group ${name}`] : [];
  });
}
