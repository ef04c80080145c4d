/** Certificates and keys, as they lie in the cluster. */
import { createPrivateKey } from "node:crypto";
import { counted, failure, judged, ok, warning } from "../check";
import type { Check, Result } from "../check";
import type { CheckContext } from "../context";
import { readBundles, rootsByZone } from "../identity/bundles";
import { commonNameOf, lifeOf, readLeaves, urisOf } from "../identity/leaves";
import type { Leaf } from "../identity/leaves";
import { issuerChecks } from "./issuers";
import { keyChecks } from "./keys";
import { trustChecks } from "./trust";

const RENEWAL = "certificates.md#renewal";
/** A certificate is due in the last third of its life, as the program makes them. */
const DUE = 1 / 3;
/** Share of its life at which nobody has made it anew as he should have. */
const LATE = 1 / 10;

export const identityChecks: readonly Check[] = [
  {
    id: "certificates-there",
    category: "identity",
    phase: "after",
    title: "every service, and whatever speaks to the discovery backend, has a certificate and a key",
    tells: "Reads the Secrets of the plan. What is served is for `certificates-served` to tell.",
    remedy: "run `pulumi up`, which makes what is missing; where an issuer is to make it, see `issuers-well`",
    more: "certificates.md#renewal",
    needs: ["namespaces-there"],
    run: async (context) => {
      const { leaves, problems } = await readLeaves(context);
      return judged(problems, "some have none", counted(leaves.length, "certificate"));
    },
  },
  each({
    id: "certificates-valid",
    title: "every certificate is valid now",
    tells: "Compares each with this machine's clock (`clock-here`).",
    remedy: "run `pulumi up --refresh`, which makes anew what has ended",
    more: RENEWAL,
    wrong: "no peer believes these",
    find: ({ certificate, title }, { now }) => {
      const { left, begun } = lifeOf(certificate, now);
      if (left <= 0) return [`${title} ended on ${certificate.validTo}`];
      return begun ? [] : [`${title} begins on ${certificate.validFrom}`];
    },
  }),
  {
    id: "certificates-due",
    category: "identity",
    phase: "after",
    title: "no certificate is due for renewal",
    tells:
      "Takes one to be due in the last third of its life, as `pulumi up` does, and to be late in the last tenth. In the third it is a warning: the next `pulumi up` makes it anew. An issuer makes one anew within a minute of when it is due.",
    remedy:
      "run `pulumi up` (with the official tls plugin: `pulumi up --refresh`); where an issuer makes them, see `issuers-well`",
    more: RENEWAL,
    needs: ["certificates-valid"],
    run: async (context) => {
      const { leaves } = await readLeaves(context);
      return dueOf(
        leaves.map(({ title, certificate }) => ({ title, certificate })),
        context,
      );
    },
  },
  {
    id: "authorities-due",
    category: "identity",
    phase: "after",
    title: "no root and no issuing authority is due for renewal",
    tells: "The same for the authorities in the chains and bundles that are in use.",
    remedy: "issuing authorities: run `pulumi up`; roots: exchange them in three updates",
    more: "certificates.md#exchanging-a-root",
    needs: ["certificates-there"],
    run: async (context) => {
      const { leaves } = await readLeaves(context);
      const authorities = [
        ...leaves.flatMap(({ chain }) => chain),
        ...[...rootsByZone(await readBundles(context)).values()].flat(),
      ];
      const known = new Map(
        authorities.map((certificate) => [
          certificate.fingerprint256,
          { title: commonNameOf(certificate), certificate },
        ]),
      );
      return dueOf([...known.values()], context);
    },
  },
  each({
    id: "certificates-identity",
    title: "every certificate bears exactly the identity of its service",
    tells: "Reads the URI names: one, and that of the service whose Secret it is.",
    remedy: "run `pulumi up --replace` of the certificate that is named; then see who wrote the Secret",
    more: "certificates.md#one-identity-a-certificate",
    wrong: "some speak for others",
    find: ({ certificate, title, identity }) => {
      const uris = urisOf(certificate);
      return uris.length === 1 && uris[0] === identity
        ? []
        : [`${title} bears ${uris.join(", ") || "no URI"}, not ${identity}`];
    },
  }),
  each({
    id: "certificates-key",
    title: "every certificate belongs to the key beside it",
    tells: "Compares the public keys. Sidecars refuse a pair that does not match and go on with the last one that did.",
    remedy: "run `pulumi up`, which writes both",
    more: RENEWAL,
    wrong: "keys and certificates don't match",
    find: ({ certificate, title, key }) =>
      matches(certificate, key) ? [] : [`${title}: tls.key is not the key of tls.crt`],
  }),
  ...trustChecks,
  {
    id: "certificates-chain",
    category: "identity",
    phase: "after",
    title: "every certificate was signed by an authority of its zone that its peers trust",
    tells: "Verifies each signature, from the leaf by the authority beside it to a root of the zone's bundles.",
    remedy: "run `pulumi up`; where a root is being exchanged, see that no step was left out",
    more: "certificates.md#exchanging-a-root",
    needs: ["certificates-there", "trust-bundles"],
    run: async (context) => {
      const { leaves } = await readLeaves(context);
      const roots = rootsByZone(await readBundles(context));
      const wrong = leaves.flatMap((leaf) => {
        const [issuer] = leaf.chain;
        if (issuer === undefined) return [`${leaf.title} has no authority beside it`];
        if (!leaf.certificate.verify(issuer.publicKey))
          return [`${leaf.title} was not signed by ${commonNameOf(issuer)}`];
        const trusted = roots.get(leaf.zone)?.some((root) => issuer.verify(root.publicKey)) ?? false;
        return trusted ? [] : [`${leaf.title}: no root that peers trust has signed ${commonNameOf(issuer)}`];
      });
      return judged(wrong, "peers refuse these");
    },
  },
  ...issuerChecks,
  ...keyChecks,
];

interface EachLeaf extends Pick<Check, "id" | "title" | "tells" | "remedy" | "more"> {
  readonly wrong: string;
  readonly find: (leaf: Leaf, at: { readonly now: Date }) => readonly string[];
}

/** A check of every certificate by itself. */
function each({ wrong, find, ...check }: EachLeaf): Check {
  return {
    ...check,
    category: "identity",
    phase: "after",
    needs: ["certificates-there"],
    run: async (context) => {
      const { leaves } = await readLeaves(context);
      const now = context.now();
      return judged(
        leaves.flatMap((leaf) => find(leaf, { now })),
        wrong,
      );
    },
  };
}

function dueOf(
  certificates: readonly { readonly title: string; readonly certificate: Leaf["certificate"] }[],
  context: CheckContext,
): Result {
  const ends = (share: number) =>
    certificates.flatMap(({ title, certificate }) => {
      const { left, whole } = lifeOf(certificate, context.now());
      return left < whole * share ? [`${title} ends on ${certificate.validTo}`] : [];
    });
  if (ends(LATE).length > 0) return failure("some end soon, and nobody has made them anew", ends(LATE));
  if (ends(DUE).length > 0) return warning("some are due", ends(DUE));
  const first = Math.min(...certificates.map(({ certificate }) => lifeOf(certificate, context.now()).left));
  return ok(Number.isFinite(first) ? `the first ends in ${String(Math.floor(first / 24))} days` : undefined);
}

function matches(certificate: Leaf["certificate"], key: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}
