/** Whether the mesh can be seen, and what Prometheus has seen of the sidecars. */
import { WELL_KNOWN, findService, firstPort } from "../../../mesh";
import type { Service } from "../../../mesh";
import { FROM_SIDECARS, LABELS, SCRAPE_JOBS } from "../../../mesh/wire";
import { counted, failure, judged, ok, skipped, warning } from "../check";
import type { Check, Result } from "../check";
import { KINDS } from "../cluster/live";
import { isReady } from "../cluster/objects";
import { declaredIn } from "../context";
import type { CheckContext } from "../context";
import { lifeOf, readLeaves } from "../identity/leaves";
import { askService } from "../plan/ask";

const PAGE = "sidecar.md#what-a-call-leaves";
/** Days by which a certificate that is served may differ from the one that lies in the Secret: the metric counts whole days. */
const DAYS_APART = 2;

export const observabilityChecks: readonly Check[] = [
  {
    id: "prometheus-ready",
    category: "observability",
    phase: "after",
    title: "Prometheus is ready",
    tells: "Asks its `/-/ready` by a port-forward to its loopback.",
    remedy: "look at `kubectl -n lucid-ops logs deploy/prometheus -c prometheus`",
    more: PAGE,
    needs: ["namespaces-there"],
    run: (context) => readiness(context, WELL_KNOWN.prometheus, "/-/ready"),
  },
  {
    id: "prometheus-targets",
    category: "observability",
    phase: "after",
    title: "Prometheus scrapes the sidecar of every ready pod",
    tells:
      "Asks Prometheus for its targets, and compares them with the pods. The first scrape comes within 25 s of a pod's registration.",
    remedy:
      "the error of a target says where it ends: the zone's forward proxy, TLS, or the pod; a missing target is one that the controller did not name",
    more: PAGE,
    needs: ["prometheus-ready"],
    run: async (context) => targets(context, "sidecars", await meshedPods(context), "sidecars are not seen"),
  },
  {
    id: "application-metrics",
    category: "observability",
    phase: "after",
    title: "Prometheus has the metrics of every application that tells some",
    tells:
      "Asks Prometheus for the targets of services that declare `metrics`, and compares them with the ready pods. It is their sidecars that are asked, which ask the applications.",
    remedy:
      "503 and 504 in a target's error are the sidecar's, which did not reach the application: compare `metrics.port` with where it listens; any other status is the application's, of `metrics.path`",
    more: "sidecar.md#metrics-of-applications",
    needs: ["prometheus-ready"],
    run: async (context) => {
      const tells = ({ metrics }: Service) => metrics !== undefined;
      if (!declaredIn(context).running.some(tells)) return skipped("no service of the document declares `metrics`");
      return targets(context, "applications", await meshedPods(context, tells), "applications are not seen");
    },
  },
  {
    id: "sidecar-updates",
    category: "observability",
    phase: "after",
    title: "no sidecar has rejected a change of its files",
    tells:
      "Asks Prometheus how many updates of listeners and clusters each sidecar has rejected since it started. One that was rejected is not tried again: the sidecar goes on by the files before.",
    remedy: "look at the sidecar's log for the reason; delete the pod to have it read its files anew",
    more: "sidecar.md#the-sidecar",
    needs: ["prometheus-ready"],
    run: async (context) => {
      const query = `sum by (pod) ({__name__=~"envoy_listener_manager_lds_update_rejected|envoy_cluster_manager_cds_update_rejected", ${FROM_SIDECARS}}) > 0`;
      const series = await asked(context, query);
      return judged(
        series.map(({ pod, value }) => `${pod}: ${String(value)}`),
        "sidecars run by older files",
        undefined,
        warning,
      );
    },
  },
  {
    id: "trust-refusals",
    category: "observability",
    phase: "after",
    title: "no sidecar has refused a peer's certificate in the last five minutes",
    tells:
      "Asks Prometheus how many handshakes failed because the peer's certificate did. Between the steps of an exchange of roots it must not grow; a stranger who knocks makes it grow too.",
    remedy: "the records of refused connections in the callee's sidecar log name who it claimed to be",
    more: "certificates.md#exchanging-a-root",
    needs: ["prometheus-ready"],
    run: async (context) => {
      const query = `sum by (pod) (${increased("envoy_listener_ssl_fail_verify_error")} or ${increased("envoy_listener_ssl_fail_verify_san")}) > 0`;
      const series = await asked(context, query);
      return judged(
        series.map(({ pod, value }) => `${pod}: ${String(Math.ceil(value))}`),
        "peers were refused",
        undefined,
        warning,
      );
    },
  },
  {
    id: "certificates-served",
    category: "observability",
    phase: "after",
    title: "sidecars serve the certificates that lie in their Secrets",
    tells:
      "Compares the days until the first of a sidecar's certificates ends, as Prometheus has them, with the Secret, to a day or two: a certificate that was made anew long ago and never reached the process stands out, one of the same day does not.",
    remedy: "touch the pod (an annotation), or delete it: its successor reads what is there",
    more: "controller.md#changed-files-reach-the-sidecars-at-once",
    needs: ["prometheus-ready", "certificates-there"],
    run: served,
  },
  {
    id: "jaeger-ready",
    category: "observability",
    phase: "after",
    title: "Jaeger answers queries",
    tells:
      "Asks its API for the services that it has spans of, by a port-forward to its loopback. With tracing switched off it is skipped.",
    remedy: "look at `kubectl -n lucid-ops logs deploy/jaeger -c jaeger`",
    more: PAGE,
    needs: ["namespaces-there"],
    run: (context) =>
      declaredIn(context).settings.tracingEnabled
        ? readiness(context, WELL_KNOWN.jaeger, "/api/services")
        : skipped("tracing is off (tracingEnabled)"),
  },
];

/** Growth of a counter, under a label of its own: two counters of one sidecar have the same labels otherwise. */
function increased(counter: string): string {
  return `label_replace(increase(${counter}{${FROM_SIDECARS}}[5m]), "counter", "${counter}", "", "")`;
}

async function readiness(context: CheckContext, name: string, path: string): Promise<Result> {
  const service = findService(declaredIn(context).mesh, name);
  if (service === undefined) return skipped(`the document declares no ${name}`);
  if (service.revoked !== undefined) return skipped(`${name} is revoked`);
  const answer = await askService(context, service, firstPort(service).port, path);
  if (answer === undefined) return failure("no pod of it is ready to be asked");
  return answer.status === 200
    ? ok()
    : failure(`${path} answers ${String(answer.status)}`, [answer.body.slice(0, 200)]);
}

/** What Prometheus answers, as JSON. */
async function fromPrometheus(context: CheckContext, path: string): Promise<unknown> {
  const service = findService(declaredIn(context).mesh, WELL_KNOWN.prometheus);
  const answer = service && (await askService(context, service, firstPort(service).port, path));
  if (answer?.status !== 200) throw new Error(`Prometheus answers ${path} by ${String(answer?.status ?? "nothing")}`);
  return (JSON.parse(answer.body) as { readonly data: unknown }).data;
}

interface Series {
  readonly pod: string;
  readonly service: string;
  readonly value: number;
}

async function asked(context: CheckContext, query: string): Promise<readonly Series[]> {
  const { result } = (await fromPrometheus(context, `/api/v1/query?query=${encodeURIComponent(query)}`)) as {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value: readonly [number, string];
    }[];
  };
  return result.map(({ metric, value }) => ({
    pod: metric.pod ?? "",
    service: metric.service ?? "",
    value: Number(value[1]),
  }));
}

interface ActiveTarget {
  readonly labels: Readonly<Record<string, string>>;
  readonly health: string;
  readonly lastError: string;
}

/** Compares the targets of one kind of job with the pods that should be among them. */
async function targets(
  context: CheckContext,
  kind: keyof typeof SCRAPE_JOBS,
  expected: readonly string[],
  what: string,
): Promise<Result> {
  const { activeTargets } = (await fromPrometheus(context, "/api/v1/targets?state=active")) as {
    readonly activeTargets: readonly ActiveTarget[];
  };
  const own = activeTargets.filter(({ labels }) => labels.job?.startsWith(`${SCRAPE_JOBS[kind]}-`) === true);
  const down = own
    .filter(({ health }) => health === "down")
    .map(({ labels, lastError }) => `${labels.pod ?? "unknown"}: ${lastError}`);
  const scraped = new Set(own.map(({ labels }) => labels.pod));
  const missing = expected.filter((pod) => !scraped.has(pod)).map((pod) => `${pod} is no target`);
  return judged([...down, ...missing], what, counted(own.length, "target"));
}

/** Names of ready pods that run all the time, of these services. */
async function meshedPods(
  context: CheckContext,
  isMeant: (service: Service) => boolean = () => true,
): Promise<readonly string[]> {
  const running = new Set(
    declaredIn(context)
      .running.filter(isMeant)
      .map(({ name }) => name),
  );
  return (await context.live.inZones(KINDS.pods))
    .filter((pod) => pod.metadata.labels?.[LABELS.meshed] === "true" && isReady(pod))
    .filter(({ metadata }) => running.has(metadata.labels?.[LABELS.name] ?? ""))
    .map(({ metadata }) => metadata.name);
}

async function served(context: CheckContext): Promise<Result> {
  const series = await asked(
    context,
    `min by (pod, service) (envoy_server_days_until_first_cert_expiring{${FROM_SIDECARS}})`,
  );
  if (series.length === 0) return skipped("Prometheus has no such metric of any sidecar");
  const { leaves } = await readLeaves(context);
  const found = series.flatMap(({ pod, service, value }) => {
    const leaf = leaves.find((one) => one.service === service);
    // The first to end is the leaf, unless an authority ends before it.
    const ends =
      leaf && Math.min(...[leaf.certificate, ...leaf.chain].map((one) => lifeOf(one, context.now()).left)) / 24;
    return ends === undefined || Math.abs(ends - value) <= DAYS_APART
      ? []
      : [`${pod} serves one that ends in ${String(value)} days; in the Secret it is ${String(Math.floor(ends))}`];
  });
  return judged(found, "sidecars serve others", undefined, warning);
}
