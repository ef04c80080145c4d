/** All policies of a mesh. */
import { createHash } from "node:crypto";
import type { Mesh } from "../mesh";
import { admissionData, type AdmissionOptions } from "./data";
import type { AdmissionPolicy } from "./model";
import { declarations, declaredStatus } from "./policies/declarations";
import { ephemeralContainers, exec } from "./policies/debugging";
import { distributedFiles, distributedPods } from "./policies/distributors";
import { images } from "./policies/images";
import { inForce } from "./policies/in-force";
import { issuedSecrets, issuers, issuingPolicies } from "./policies/issuing";
import { kept } from "./policies/kept";
import { kinds } from "./policies/kinds";
import { leases } from "./policies/leases";
import { accounts, members } from "./policies/members";
import { networkPolicy } from "./policies/network";
import { podSecurity } from "./policies/pod-security";
import { roleBindings, roles } from "./policies/rights";
import { endpoints, services } from "./policies/services";
import { sidecarFiles } from "./policies/sidecar-files";
import { sidecars } from "./policies/sidecars";
import { tokens } from "./policies/tokens";
import { zones } from "./policies/zones";

/** The policies, by when they are to be there. */
export interface AdmissionPolicies {
  /** Before what they judge: an object of the next document is refused by the policies of the last one. */
  readonly first: readonly AdmissionPolicy[];
  /** Changed after all of `first`: once it is in force, they are. */
  readonly probe: AdmissionPolicy;
  /** After what it keeps, so that it goes before that when all is taken away. */
  readonly last: AdmissionPolicy;
  /** Digest of `first`, as the probe tells it. */
  readonly generation: string;
}

/** Computes the policies of a mesh: what `kubectl apply` may do in the zones is what the document declares. */
export function renderAdmission(mesh: Mesh, options: AdmissionOptions): AdmissionPolicies {
  const data = admissionData(mesh, options);
  const first = [
    zones(),
    kinds(),
    networkPolicy(data),
    members(data),
    accounts(data),
    sidecars(data),
    sidecarFiles(data),
    images(data),
    podSecurity(),
    services(data),
    endpoints(),
    roles(),
    roleBindings(),
    ephemeralContainers(),
    exec(),
    tokens(),
    distributedPods(),
    distributedFiles(data),
    issuedSecrets(data),
    issuingPolicies(data),
    issuers(),
    declarations(data),
    declaredStatus(),
    leases(),
  ];
  const generation = createHash("sha256").update(JSON.stringify(first)).digest("hex").slice(0, 16);
  return { first, probe: inForce(generation), last: kept(data), generation };
}
