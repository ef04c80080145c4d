import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { versionLabel } from "../../mesh/schema/values";
import { selectorLabels } from "../pods/pod";
import type { PodTemplate } from "../pods/pod-template";
import { restricted } from "../pods/restricted";
import { attachSidecar } from "../pods/sidecar-pod";
import { deploymentArgs, disruptionBudgetArgs, withAccount } from "../pods/workload";
import { describeJoinConflicts } from "./join-conflicts";
import type { JoinData } from "./join-data";
import { namedBy, parseJoinData } from "./join-data";

export interface JoinedServiceArgs {
  /** What the mesh says of this service: `readJoin` fetches it. */
  readonly join: JoinData;
  /**
   * The application's pod, without its sidecar; its first container is the application, whose health the pod's readiness follows. Security contexts that it
   * doesn't say are those of the `restricted` profile with a read-only root, as user 65532.
   */
  readonly template: PodTemplate;
  /** The application's version: 63 letters, digits, '.', '-' and '_' at most. Shown in its registration's tags and as a label. */
  readonly version: string;
  /** Pods, as many as the mesh's document says at most. Default: that number. */
  readonly replicas?: number;
  /** Names of containers whose own `preStop` hook keeps them answering for `DRAIN_SECONDS` (15). Default: none. */
  readonly drainThemselves?: readonly string[];
}

/**
 * The workload of a service that the mesh's own stack lets join: a Deployment behind the service's sidecar, and its disruption budget. Account, certificate,
 * the sidecar's configuration, isolation and registration are that stack's, and stay so.
 *
 * There is no way to have it without the sidecar. The policy pack, run on this stack as well, refuses a sidecar that was taken out or changed afterwards.
 */
export class JoinedService extends pulumi.ComponentResource {
  /**
   * @param name the service's, as in the mesh's document
   * @throws RunError with everything in the arguments that the mesh can't live with, each with its place and mend
   */
  constructor(name: string, args: JoinedServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    const join = parseJoinData(args.join, name);
    const { version, drainThemselves, replicas = join.replicas } = args;
    if (!versionLabel.safeParse(version).success) {
      throw new pulumi.RunError(
        `${name}: '${version}' is no version; use letters, digits, '.', '-' and '_', 63 at most`,
      );
    }
    const problem = describeJoinConflicts(args.template, join, { replicas, drainThemselves });
    if (problem !== undefined) throw new pulumi.RunError(problem);
    const service = namedBy(join);
    super("lucid:mesh:JoinedService", name, { service: service.name, zone: service.zone }, opts);
    const child = { parent: this };
    const selector = selectorLabels(service.name);
    const own = withAccount(restricted(args.template), service, selector);
    const template = attachSidecar(own, { ...join.sidecar, version }, { drainThemselves });
    new kubernetes.apps.v1.Deployment(
      `${name}-deployment`,
      deploymentArgs(service, { workload: service.name, version, replicas, selector, template }),
      child,
    );
    new kubernetes.policy.v1.PodDisruptionBudget(`${name}-disruption-budget`, disruptionBudgetArgs(service), child);
    this.registerOutputs({});
  }
}
