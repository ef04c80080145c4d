/** Whether issuers make certificates, and by what. */
import { createPrivateKey } from "node:crypto";
import { namespaceOf } from "../../../mesh";
import { ISSUING, issuerOf } from "../../../mesh/issuing";
import { counted, judged, ok } from "../check";
import type { Check } from "../check";
import type { CheckContext } from "../context";
import { readBundles, rootsByZone } from "../identity/bundles";
import { readLeaves } from "../identity/leaves";
import { readSigners, zonesWithIssuers } from "../identity/signers";
import { askService } from "../plan/ask";

const PAGE = "certificates.md#issuers";
const NONE = "`pulumi up` makes all certificates (autoRotateCerts)";

export const issuerChecks: readonly Check[] = [
  {
    id: "issuers-well",
    category: "identity",
    phase: "after",
    title: "every zone's issuer runs, and says that it makes certificates",
    tells:
      "Asks the `/health` of each by a port-forward to its pod: that it knows what it signs by and for whom, that every service has a good certificate, and that its clock is near the API server's. Where `autoRotateCerts` is off there are none.",
    remedy: "its reasons say which; `kubectl -n lucid-mesh logs deploy/issuer-<zone>` has more",
    more: PAGE,
    needs: ["namespaces-there"],
    run: async (context) => {
      const zones = zonesWithIssuers(context);
      if (zones.length === 0) return ok(NONE);
      const found = await Promise.all(
        zones.map(async (zone) => {
          const name = issuerOf(zone);
          const answer = await askService(context, { name, namespace: namespaceOf("mesh") }, ISSUING.port, "/health");
          if (answer === undefined) return [`${name}: no pod of it is ready to be asked`];
          return problemsIn(answer.body).map((problem) => `${name}: ${problem}`);
        }),
      );
      return judged(found.flat(), "certificates are not made anew", counted(zones.length, "issuer"));
    },
  },
  {
    id: "issuing-authorities",
    category: "identity",
    phase: "after",
    title: "issuers sign by the authorities of their zones that peers trust",
    tells: `Reads the Secret \`${ISSUING.secret}\` of each zone: that a root of the zone's bundles has signed what is in it, that the key is that certificate's, and that the zone's certificates were signed by it.`,
    remedy: "run `pulumi up`, which writes it; then see who could change it, and exchange the authority",
    more: "certificates.md#exchanging-an-issuing-authority",
    needs: ["certificates-there", "trust-bundles"],
    run: signers,
  },
];

async function signers(context: CheckContext) {
  const zones = zonesWithIssuers(context);
  if (zones.length === 0) return ok(NONE);
  const found = await readSigners(context);
  const roots = rootsByZone(await readBundles(context));
  const { leaves } = await readLeaves(context);
  const absent = zones
    .filter((zone) => !found.some((signer) => signer.zone === zone))
    .map((zone) => `${namespaceOf(zone)}/${ISSUING.secret} is missing, or holds no certificate`);
  const wrong = found.flatMap(({ zone, title, certificate, key }) => {
    const isTrusted = roots.get(zone)?.some((root) => certificate.verify(root.publicKey)) === true;
    const others = leaves.filter(
      (leaf) =>
        leaf.zone === zone &&
        leaf.secret.metadata.labels?.["app.kubernetes.io/managed-by"] === ISSUING.manager &&
        !leaf.certificate.verify(certificate.publicKey),
    );
    return [
      ...(isTrusted ? [] : [`${title}: no root that peers trust has signed it`]),
      ...(isKeyOf(certificate, key) ? [] : [`${title}: tls.key is not the key of tls.crt`]),
      ...others.map((leaf) => `${leaf.title} was signed by another authority than ${title}`),
    ];
  });
  return judged([...absent, ...wrong], "peers refuse what is signed, or nothing is", counted(zones.length, "zone"));
}

function isKeyOf(
  certificate: { checkPrivateKey(key: ReturnType<typeof createPrivateKey>): boolean },
  key: string,
): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

/** What an issuer says is wrong. */
function problemsIn(body: string): readonly string[] {
  try {
    const said = JSON.parse(body) as {
      readonly healthy?: boolean;
      readonly state?: string;
      readonly reasons?: readonly string[];
    };
    const waits =
      said.state === "waiting"
        ? [`its zone gives it nothing to sign by (Secret ${ISSUING.secret}, ConfigMap ${ISSUING.policy})`]
        : [];
    return said.healthy === true ? waits : (said.reasons ?? ["it is not healthy"]);
  } catch {
    return ["it does not say how it is"];
  }
}
