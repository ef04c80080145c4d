/** About keys and certificates. */
import { isDeepStrictEqual } from "node:util";
import type { Mutation } from "../mutation";
import type { Argument } from "./argument";

export const CERTIFICATES: readonly Argument[] = [
  {
    survives: /^(duplicate|swap|move) of .*(allowedUses|dnsNames)$/,
    why: "says the same twice, or in another order",
  },
  {
    survives: /\bsubject(\.organization)?$/,
    why: "is the organization's name, by which nobody goes",
  },
  {
    survives:
      /: LocallySignedCert [\w<>-]+ (earlyRenewalHours|validityPeriodHours)$|: SelfSignedCert [\w<>-]+ (earlyRenewalHours|validityPeriodHours)$/,
    why: "lets a certificate live shorter, or be renewed at another time at which its successor is still there before it ends (timeline)",
  },
  {
    survives: /: ConfigMap [\w<>-]+-issuing-policy data\.validityHours$/,
    why: "has an issuer make certificates for longer, within the longest life that the pack's configuration allows (longestLeafHours)",
  },
  {
    survives: /^(drop of|widen to \w+).*: (LocallySignedCert|SelfSignedCert) [\w<>-]+ (set(Subject|Authority)KeyId)?$/,
    why: "is of identifiers that only help to find a certificate's signer; or it leaves out what the provider refuses to be without",
  },
  {
    survives:
      /^(widen to (less|zero)|drop of maxPathLength): SelfSignedCert [\w<>-]+ (maxPathLength)?$|: SelfSignedCert <zone>-ca-root maxPathLength$/,
    why: "is of a root's path length, which is to allow one authority below it: that no other stands there is judged by who signs (misissued)",
  },
  {
    survives: /^drop of crl_signing: SelfSignedCert /,
    why: "takes a right from a root that it doesn't use: issuing authorities sign revocation lists",
  },
  {
    survives: /^drop of localhost: CertRequest consul-request dnsNames$/,
    why: "takes a name by which a server is reached on its own loopback",
  },
  {
    survives: /^swap of content with [\w<>-]+-trust: ConfigMap [\w<>-]+-trust$/,
    where: isAlike,
    isRare: true,
    why: "gives two services each the other's roots, where both trust the same zones and issuers make their certificates",
  },
];

function isAlike({ change }: Mutation): boolean {
  const [first, ...others] = [...change.values()].flat().map(({ inputs }) => inputs.data);
  return others.every((data) => isDeepStrictEqual(data, first));
}
