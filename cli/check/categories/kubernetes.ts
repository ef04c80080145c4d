/** Whether the cluster is one that the mesh can run on. */
import { counted, failure, judged, ok, skipped, warning } from "../check";
import type { Check, Result } from "../check";
import { KINDS } from "../cluster/live";
import { isReady } from "../cluster/objects";
import { OLDEST_MINOR, minorOf, serverVersion } from "../cluster/version";
import { declaredIn } from "../context";
import type { CheckContext } from "../context";
import { definedKinds } from "../plan/rights";
import { clockChecks } from "./clocks";
import { nodeChecks } from "./nodes";

const DNS_LABEL = "k8s-app=kube-dns";
const DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class";
const OWN_CLUSTER = "configuration.md#a-cluster-of-your-own";

export const kubernetesChecks: readonly Check[] = [
  {
    id: "api-ready",
    category: "kubernetes",
    phase: "before",
    title: "the API server is ready",
    tells: "Asks `/readyz`. Of several API servers it is the one that answers.",
    remedy: "look at the API server's log for the parts that are named, and at etcd",
    more: OWN_CLUSTER,
    run: async ({ cluster }) => {
      const { status, body } = await cluster.text("/readyz?verbose");
      if (status === 200) return ok();
      return failure(
        `/readyz answers ${String(status)}`,
        body.split("\n").filter((line) => line.startsWith("[-]")),
      );
    },
  },
  {
    id: "kubernetes-version",
    category: "kubernetes",
    phase: "before",
    title: `the API server is Kubernetes 1.${String(OLDEST_MINOR)} or newer`,
    tells: "Compares the version that it tells. Feature gates that somebody switched off are not seen.",
    remedy: `upgrade the control plane to 1.${String(OLDEST_MINOR)} or newer`,
    more: OWN_CLUSTER,
    run: async ({ cluster }) => {
      const text = await serverVersion(cluster);
      const version = minorOf(text);
      if (version === undefined) return skipped(`its version, ${text}, can't be read`);
      return version >= OLDEST_MINOR
        ? ok(text)
        : failure(`it is ${text}: it knows no native sidecars or no admission policies`);
    },
  },
  {
    id: "apis-served",
    category: "kubernetes",
    phase: "before",
    title: "the API server serves every kind of object that the mesh is made of",
    tells: "Asks its discovery for each API version and kind of the plan, but for those that the plan itself defines.",
    remedy: "upgrade the cluster, or switch the API on (--runtime-config)",
    more: OWN_CLUSTER,
    needs: ["document"],
    seconds: 60,
    run: async (context) => {
      const wanted = new Map(
        (await declaredIn(context).objects()).map((one) => [`${one.apiVersion} ${one.kind}`, one]),
      );
      const missing: string[] = [];
      const defined = await definedKinds(context);
      for (const [title, { apiVersion, kind }] of wanted) {
        if (defined.has(title)) continue;
        const offered = await context.live.resources(apiVersion);
        if (!offered?.some((resource) => resource.kind === kind)) missing.push(title);
      }
      return judged(missing, "it does not serve all that is needed", `${String(wanted.size)} kinds`);
    },
  },
  ...nodeChecks,
  ...clockChecks,
  {
    id: "cluster-dns",
    category: "kubernetes",
    phase: "before",
    title: `the cluster's DNS runs in kube-system, under the label ${DNS_LABEL}`,
    tells:
      "Looks for ready pods there: policies let name queries go to them and nowhere else. What they answer is not asked. A cache on the nodes' own addresses is not reached by the mesh.",
    remedy: "let the cluster's DNS run as pods in kube-system with that label",
    more: OWN_CLUSTER,
    run: async ({ live }) => {
      const pods = (await live.list(KINDS.pods, "kube-system")).filter(
        ({ metadata }) => metadata.labels?.["k8s-app"] === "kube-dns",
      );
      const ready = pods.filter(isReady).length;
      if (pods.length === 0) return failure("no pod there bears the label");
      return ready === 0 ? failure(`none of ${String(pods.length)} pods is ready`) : ok(`${String(ready)} ready`);
    },
  },
  {
    id: "storage-class",
    category: "kubernetes",
    phase: "before",
    title: "there is one default StorageClass, for the discovery backend's volumes",
    tells:
      "Reads StorageClasses. Whether its provisioner works is told by `consul-volumes` or `etcd-volumes`, when there are claims.",
    remedy: `annotate one StorageClass with ${DEFAULT_CLASS}: "true"`,
    more: OWN_CLUSTER,
    run: async ({ live }) => {
      const classes = (await live.list(KINDS.storageClasses)).filter(
        ({ metadata }) => metadata.annotations?.[DEFAULT_CLASS] === "true",
      );
      const names = classes.map(({ metadata, provisioner }) => `${metadata.name} (${provisioner})`);
      if (classes.length === 0) return failure("none is the default, so claims that name none stay pending");
      if (classes.every(({ provisioner }) => provisioner === "kubernetes.io/no-provisioner"))
        return failure("the default one makes no volumes by itself", names);
      return classes.length > 1 ? warning("several are: the newest is taken", names) : ok(names.join());
    },
  },
  {
    id: "pod-security-admission",
    category: "kubernetes",
    phase: "before",
    title: "the API server enforces Pod Security levels",
    tells:
      "Asks by a dry run for a namespace whose label names no level: the admission plugin refuses it. A cluster that enforces the same by another program is not recognized.",
    remedy: "switch the admission plugin PodSecurity on (it is by default)",
    more: OWN_CLUSTER,
    run: ({ cluster }) => podSecurity(cluster),
  },
  {
    id: "token-keys-published",
    category: "kubernetes",
    phase: "before",
    title: "the API server publishes who issues service-account tokens, and its keys",
    tells:
      "Reads its discovery document and keys, which sidecars check identity tokens by. Whether service accounts may read them as well is told by `controller-health`.",
    remedy:
      "set --service-account-issuer and --service-account-jwks-uri, and keep the ClusterRole system:service-account-issuer-discovery bound",
    more: "identity-token.md#whose-tokens-are-believed",
    run: async ({ cluster }) => {
      const { issuer } = (await cluster.get("/.well-known/openid-configuration")) as { readonly issuer?: string };
      const { keys = [] } = (await cluster.get("/openid/v1/jwks")) as { readonly keys?: readonly unknown[] };
      if (issuer === undefined || keys.length === 0) return failure("it names no issuer, or no key");
      return ok(`${issuer}, ${counted(keys.length, "key")}`);
    },
  },
  {
    id: "api-server-address",
    category: "kubernetes",
    phase: "before",
    title: "apiServerCidr and apiServerPort are where pods reach the Kubernetes API",
    tells:
      "Compares them with the endpoints of the service `kubernetes`. The controller's policy lets it go there and nowhere else.",
    remedy:
      "set both in `Pulumi.<stack>.yaml` to what `kubectl get endpointslices -l kubernetes.io/service-name=kubernetes` shows",
    more: "configuration.md#stack-configuration",
    needs: ["document"],
    run: (context) => apiServerAddress(context),
  },
  {
    id: "namespaces-there",
    category: "kubernetes",
    phase: "after",
    title: "every zone has its namespace",
    tells: "Looks for the namespaces of the plan. Most checks of a deployed mesh need them.",
    remedy: "run `pulumi up`",
    more: "configuration.md#zoneszone",
    needs: ["document"],
    run: async (context) => {
      const { mesh } = declaredIn(context);
      const live = new Map((await context.live.list(KINDS.namespaces)).map((one) => [one.metadata.name, one]));
      const wrong = mesh.zones.flatMap(({ namespace }) => {
        const phase = live.get(namespace)?.status?.phase;
        if (!live.has(namespace)) return [`${namespace} is missing`];
        return phase === "Terminating" ? [`${namespace} is being deleted`] : [];
      });
      return judged(wrong, "the mesh is not installed, or not whole", counted(mesh.zones.length, "zone"));
    },
  },
];

async function podSecurity(cluster: CheckContext["cluster"]): Promise<Result> {
  const labels = { "pod-security.kubernetes.io/enforce": "no-such-level" };
  const metadata = { name: "mesh-check", labels };
  const refusal = await cluster.refusalOf("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata });
  if (refusal === undefined) return failure("a namespace with a level that doesn't exist would be let in");
  return refusal.includes("pod-security.kubernetes.io/enforce")
    ? ok()
    : skipped(`it refused the namespace for another reason: ${refusal}`);
}

async function apiServerAddress(context: CheckContext): Promise<Result> {
  const { apiServerCidr, apiServerPort } = declaredIn(context).settings;
  const slices = (await context.live.list(KINDS.endpointSlices, "default")).filter(
    ({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === "kubernetes",
  );
  const endpoints = slices.flatMap(({ endpoints = [], ports = [] }) =>
    endpoints.flatMap(({ addresses = [] }) => addresses.flatMap((ip) => ports.map(({ port = 0 }) => ({ ip, port })))),
  );
  if (endpoints.length === 0) return skipped("the service `kubernetes` has no endpoints");
  const outside = endpoints.filter(({ ip, port }) => !contains(apiServerCidr, ip) || port !== apiServerPort);
  return judged(
    outside.map(({ ip, port }) => `${ip}:${String(port)}`),
    `endpoints lie outside of ${apiServerCidr}, port ${String(apiServerPort)}`,
    `${apiServerCidr}, port ${String(apiServerPort)}`,
  );
}

/** Whether a range of IPv4 addresses holds one. */
function contains(cidr: string, ip: string): boolean {
  const [base = "", length = "32"] = cidr.split("/");
  const shift = 2 ** (32 - Number(length));
  return Math.floor(numberOf(base) / shift) === Math.floor(numberOf(ip) / shift);
}

function numberOf(ip: string): number {
  return ip.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}
