/** About applications: what a sidecar and a NetworkPolicy hold, whatever runs behind them. */
import type { Argument } from "./argument";

const CONTAINERS = String.raw`containers\[(app|controller|<service>)\]`;

export const APPLICATIONS: readonly Argument[] = [
  {
    survives: new RegExp(String.raw`: Deployment .*\.${CONTAINERS}(\.(args|command|env)\b.*)?$`),
    why: "is of what an application runs with: whom it reaches, and who reaches it, is decided before it and behind it",
  },
  {
    survives: /: Deployment .*\.spec\.containers$/,
    why: "runs another application of the mesh behind the same sidecar: whom it reaches, and who reaches it, is decided before it and behind it",
  },
  {
    survives: /: ConfigMap <service>-config( (data.*)?)?$/,
    why: "is of what Prometheus or Jaeger reads: it collects less, or asks its sidecar for somebody whom that does not reach",
  },
  {
    survives: /: ConfigMap <service>-consul-trust (data.*)?$/,
    why: "changes the roots by which the controller believes Consul, which are known only while they are made: where they come from is proven before",
  },
  {
    survives: /: Secret <service>-tokens (stringData.*|type|origin of stringData)?$/,
    why: "takes a token from the controller, or gives it another that it has as well: it says that it can't register, or can't compare ACLs",
  },
];
