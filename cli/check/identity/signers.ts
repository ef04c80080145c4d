/** What the zones' issuers sign by, as it lies in the cluster. */
import { X509Certificate } from "node:crypto";
import { namespaceOf } from "../../../mesh";
import type { ZoneName } from "../../../mesh";
import { ISSUING, issuingZones } from "../../../mesh/issuing";
import { KINDS } from "../cluster/live";
import { titleOf } from "../cluster/objects";
import { declaredIn } from "../context";
import type { CheckContext } from "../context";
import { certificatesIn, decoded } from "./leaves";

/** A zone's issuing authority, and its key. */
export interface Signer {
  readonly zone: ZoneName;
  readonly title: string;
  readonly certificate: X509Certificate;
  /** PEM. */
  readonly key: string;
}

/** Zones whose certificates an issuer makes; none where `pulumi up` makes them all. */
export function zonesWithIssuers(context: CheckContext): readonly ZoneName[] {
  const { mesh, settings } = declaredIn(context);
  return settings.autoRotateCerts ? issuingZones(mesh) : [];
}

/** Those that can be read. @throws ClusterError where Secrets may not be read */
export async function readSigners(context: CheckContext): Promise<readonly Signer[]> {
  const zones = zonesWithIssuers(context);
  if (zones.length === 0) return [];
  const secrets = new Map((await context.live.inZones(KINDS.secrets)).map((one) => [titleOf(one), one]));
  return zones.flatMap((zone): Signer[] => {
    const title = `${namespaceOf(zone)}/${ISSUING.secret}`;
    const secret = secrets.get(title);
    const [certificate] = certificatesIn((secret && decoded(secret, "tls.crt")) ?? "");
    const key = (secret && decoded(secret, "tls.key")) ?? "";
    return certificate === undefined ? [] : [{ zone, title, certificate, key }];
  });
}
