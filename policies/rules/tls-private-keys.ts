import type { ResourceRule } from "../judgement/rule";
import { TLS } from "../tls/resources";

/** What the provider takes where nothing is said. */
const PROVIDERS_RSA_BITS = 2048;
const CURVES = ["P256", "P384", "P521"];

/** Keys are of the kinds that every party of the mesh verifies, and long enough. */
export const tlsPrivateKeys: ResourceRule<"leastRsaBits"> = {
  name: "tls-private-keys",
  description: "Private keys are RSA of 2048 bits or more, or ECDSA on P-256, P-384 or P-521.",
  severity: "high",
  remediation: "Let CertificateAuthority make the keys, by certificateAlgorithm ECDSA or RSA.",
  uses: [],
  parameters: {
    leastRsaBits: { default: 2048, minimum: 2048, maximum: 8192, description: "Fewest bits of an RSA key." },
  },
  concerns: (type) => type === TLS.privateKey,
  judge({ properties }, _ceiling, findings, { leastRsaBits }) {
    const algorithm = properties.at("algorithm");
    if (algorithm.is("RSA")) {
      const bits = properties.at("rsaBits");
      findings.require(
        (bits.number() ?? PROVIDERS_RSA_BITS) >= leastRsaBits,
        bits,
        `the key has ${bits.isAbsent ? `${String(PROVIDERS_RSA_BITS)}, the provider's default,` : bits.shown()} bits`,
        `give it ${String(leastRsaBits)} or more`,
      );
    } else if (algorithm.is("ECDSA")) {
      const curve = properties.at("ecdsaCurve");
      // Unsaid it is P-224, which neither Envoy nor browsers take.
      findings.require(
        curve.isOneOf(CURVES),
        curve,
        `the key's curve is ${curve.isAbsent ? "P224, the provider's default" : curve.shown()}`,
        "take P256",
      );
    } else {
      findings.add(
        algorithm,
        `the key is of the kind ${algorithm.shown()}`,
        "take ECDSA on P256, or RSA: Envoy verifies no certificate of another",
      );
    }
  },
};
