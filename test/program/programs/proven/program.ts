import * as pulumi from "@pulumi/pulumi";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { ServiceMesh, clusterProviders, loadMesh, parseSettings } from "../../../../components";
import { checkoutDir } from "../../../../dev/paths";
import { proven } from "../../../../proof";

const config = new pulumi.Config();
/** Where the mesh is widened; nowhere where it isn't said. */
const widened = config.get("widened");

const mesh = loadMesh(readFileSync(path.join(checkoutDir, "mesh.yaml"), "utf8"), "mesh.yaml", { tracing: true });
const settings = parseSettings({
  kubeconfig: config.require("kubeconfig"),
  dockerHost: "unix:///no-such-docker.sock",
  apiServerCidr: "10.77.0.10/32",
  nodeResolverIp: "10.96.64.53",
  consulIp: "10.96.64.54",
  updateIntervalHours: config.get("updateIntervalHours") ?? "672",
});

interface Args {
  readonly type: string;
  readonly name: string;
  readonly props: Record<string, unknown>;
}

/** Ends the program before it has declared anything; nowhere where it isn't said. */
const ends = config.get("ends");

function end(): void {
  if (ends === "refused") throw new pulumi.RunError("this program refuses to go on");
  if (ends === "defect") throw new TypeError("this program has a defect");
}

/** Lets jaeger into payout-router's sidecar, in the place of admin-ui; no NetworkPolicy is touched. */
function admit({ name, props }: Args): Record<string, unknown> {
  if (name !== "payout-router-sidecar-envoy") return props;
  const data = props.data as Record<string, string>;
  const listeners = data["listeners.yaml"]?.replace(/(lucid-ops\/sa\/|lucid-ops:)admin-ui/g, "$1jaeger");
  return { ...props, data: { ...data, "listeners.yaml": listeners } };
}

/** Lets lucid-blocks into payout-router. */
function widen({ type, name, props }: Args): Record<string, unknown> {
  if (widened === "sidecar") return admit({ type, name, props });
  if (type !== "kubernetes:networking.k8s.io/v1:NetworkPolicy" || name !== "wallet-payout-router") return props;
  const spec = props.spec as { ingress: { from: object[] }[] };
  spec.ingress[0]?.from.push({
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "lucid-chain" } },
    podSelector: { matchLabels: { "app.kubernetes.io/name": "lucid-blocks" } },
  });
  return props;
}

const stackTransform = () =>
  pulumi.runtime.registerResourceTransform((args) => ({ props: widen(args), opts: args.opts }));

if (widened === "outside") stackTransform();

function declare(): void {
  end();
  if (widened === "stack transform") stackTransform();
  if (widened === "stack transformation")
    pulumi.runtime.registerStackTransformation((args) => ({ props: widen(args), opts: args.opts }));
  const opts: pulumi.ComponentResourceOptions =
    widened === "transform" || widened === "sidecar"
      ? { transforms: [(args) => ({ props: widen(args), opts: args.opts })] }
      : {};
  new ServiceMesh(
    "lucid",
    { mesh, settings, discoveryAddress: "127.0.0.1:1", providers: clusterProviders(settings) },
    opts,
  );
}

export const program = () => proven({ mesh, settings }, declare);
