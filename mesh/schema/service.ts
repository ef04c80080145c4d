import { z } from "zod";
import { ZONES } from "../model";
import { asksAuthentication } from "./authentication";
import { call } from "./call";
import { placement } from "./datacenters";
import { external } from "./external";
import { job } from "./job";
import { load } from "./load";
import { port } from "./port";
import { serviceTraffic } from "./traffic";
import { serviceName, versionLabel } from "./values";
import { routes, version } from "./version";
import {
  applicationArgs,
  applicationCommand,
  applicationEnv,
  health,
  metrics,
  owner,
  replicas,
  resources,
} from "./workload";

export const service = z.strictObject({
  name: serviceName.describe("A DNS label, unique in the mesh: the name of its account, workload and registration."),
  plane: z
    .enum(ZONES)
    .describe("The plane (ops, chain, wallet) or infrastructure zone (mesh, edge) that it belongs to."),
  component: z
    .boolean()
    .default(false)
    .describe("A component of the package renders the pod (prometheus, jaeger, mesh-controller, datacenter-gateway)."),
  joinedBy: owner
    .optional()
    .describe("Who brings its pods, by a stack of their own (docs/joining.md); instead of `image` and its like."),
  external: external
    .optional()
    .describe(
      "Where it is, if it is outside the cluster (docs/external-services.md); instead of `image` and its like.",
    ),
  image: z.string().optional().describe("The application's image, with a tag (never `latest`) or a digest."),
  command: applicationCommand.optional().describe("Replaces the image's entry point."),
  args: applicationArgs.default([]).describe("Arguments of the application."),
  env: applicationEnv.default({}).describe("Environment variables of the application; no secrets."),
  version: versionLabel
    .default("0.0.0")
    .describe("The application's version, shown in its registration's tags and as a label."),
  workload: job
    .optional()
    .describe(
      "Runs it as a Kubernetes Job or CronJob, which ends by itself. Default: a Deployment, which runs all the time.",
    ),
  replicas: replicas.default(1).describe("How many pods run."),
  versions: z
    .array(version)
    .min(1, { error: "the list is empty; declare a version, or leave the key out" })
    .optional()
    .describe("Versions that run side by side; instead of `image`, `version` and `replicas`."),
  routes: routes
    .optional()
    .describe("Requests that go to one version whatever the weights: the first route that matches, in this order."),
  ports: z
    .array(port)
    .optional()
    .describe("The application's ports, at least one; the first is the default of a call. A job has none."),
  health: health.prefault({}).describe("How its readiness is asked."),
  metrics: metrics
    .optional()
    .describe("Where the application tells metrics of its own. Default: Prometheus asks its sidecar alone."),
  resources: resources.prefault({}).describe("Requests and limits of the application's container."),
  load: load.prefault({}).describe("What one pod carries at its busiest; its sidecar's resources follow from it."),
  address: z
    .string()
    .optional()
    .describe(
      "Its loopback address in callers' pods, in 127.64.0.0/10. Only needed where two names fall on one address.",
    ),
  traffic: serviceTraffic
    .optional()
    .describe("Resilience, for everybody who calls it; each call may override it for itself."),
  askAuthentication: asksAuthentication.describe(
    "Whether the service named by `authentication` is asked about each request of its callers. Default: no.",
  ),
  revoked: z
    .string()
    .regex(/\S.*\S/s, { error: "the reason is empty; say why the service is revoked, or take the key out" })
    .max(300, { error: "a reason has 300 characters at most; shorten it" })
    .optional()
    .describe("Why the service is revoked. While this stands it isn't run, and nobody calls it or is called by it."),
  datacenters: placement.optional().describe("Where it runs. Default: in every datacenter, in each for itself."),
  failover: placement
    .optional()
    .describe(
      "Datacenters that answer its callers of others where theirs can't, in this order. Default: none, so that no call leaves its datacenter.",
    ),
  calls: z.array(call).default([]).describe("Everything that it may call. What isn't declared is refused."),
});
