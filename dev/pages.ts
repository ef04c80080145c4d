/** What people want to look at, and where it is on the embedded cluster. */
import { healthCommand } from "../components/discovery/etcd/config";
import { ETCD } from "../mesh";

/** Something to look at: a page behind a port-forward, or a command in a pod. */
type View =
  | { readonly title: string; readonly target: string; readonly port: number; readonly page: string }
  | { readonly title: string; readonly target: string; readonly command: string };

const VIEWS: readonly View[] = [
  {
    title: "Mesh controller (status)",
    target: "-n lucid-mesh deployment/mesh-controller",
    port: 8080,
    page: "/",
  },
  { title: "Prometheus", target: "-n lucid-ops deployment/prometheus", port: 9090, page: "/classic/targets" },
  // Built from its Go module, Jaeger has its query API and no page; the official image has both.
  { title: "Jaeger (query API)", target: "-n lucid-ops deployment/jaeger", port: 16686, page: "/api/services" },
];

/** The discovery backend's own, by its name. */
const OF_BACKEND = {
  consul: { title: "Consul", target: "-n lucid-mesh statefulset/consul", port: 8500, page: "/ui/" },
  // It answers nobody without a certificate, so that it is asked in its pod, by the server's own.
  etcd: { title: "etcd (health)", target: `-n lucid-mesh ${ETCD.service}-0`, command: healthCommand().join(" ") },
} as const satisfies Readonly<Record<string, View>>;

/**
 * What `npm start` prints when all is up.
 *
 * @param backend the stack's discovery backend
 * @param kubectl how kubectl is called for the cluster
 */
export function pages(backend: keyof typeof OF_BACKEND, kubectl: string): string {
  return [
    "Look at it, each through the Kubernetes API (none has a door to the network):",
    ...[...VIEWS, OF_BACKEND[backend]].map((view: View) =>
      "page" in view
        ? `  ${view.title}: http://127.0.0.1:${view.port}${view.page}\n    ${kubectl} port-forward ${view.target} ${view.port}`
        : `  ${view.title}:\n    ${kubectl} exec ${view.target} -- ${view.command}`,
    ),
  ].join("\n");
}
