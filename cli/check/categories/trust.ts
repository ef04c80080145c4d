/** Whom sidecars believe. */
import { generationsOf } from "../../../components/identity/generations";
import { ZONES, trustDomainOf } from "../../../mesh";
import type { ZoneName } from "../../../mesh";
import { counted, failure, judged, ok } from "../check";
import type { Check } from "../check";
import { KINDS } from "../cluster/live";
import { titleOf } from "../cluster/objects";
import { declaredIn } from "../context";
import type { CheckContext } from "../context";
import { mostOf, readBundles, revocationListsIn, rootsByZone } from "../identity/bundles";
import type { Bundle } from "../identity/bundles";
import { commonNameOf } from "../identity/leaves";

const ROOTS = "certificates.md#exchanging-a-root";

export const trustChecks: readonly Check[] = [
  {
    id: "trust-bundles",
    category: "identity",
    phase: "after",
    title: "whoever trusts a zone trusts the same roots of it",
    tells:
      "Compares the roots and revocation lists of each zone in all ConfigMaps and Secrets that hold them. What a pod has read of them may be a minute older.",
    remedy: "run `pulumi up`, which writes all of them; where each part has a stack, of those that are named",
    more: ROOTS,
    needs: ["namespaces-there"],
    run: async (context) => {
      const bundles = await readBundles(context);
      const found = ZONES.flatMap((zone) =>
        unequal(
          bundles.filter((one) => one.zone === zone),
          zone,
        ),
      );
      return judged(found, "some believe others than the rest do", counted(bundles.length, "bundle"));
    },
  },
  {
    id: "trust-roots",
    category: "identity",
    phase: "after",
    title: "the trusted roots are the generations that the stack declares",
    tells:
      "Compares the roots' names in the bundles with `rootGenerations`, zone by zone. That the key behind a name is the zone's is for `certificates-chain` to tell.",
    remedy: "run `pulumi up`; a root that nobody declared was added by hand: see who",
    more: ROOTS,
    needs: ["trust-bundles"],
    run: async (context) => {
      const roots = rootsByZone(await readBundles(context));
      const { settings } = declaredIn(context);
      const found = ZONES.flatMap((zone) => {
        const names = (roots.get(zone) ?? []).map(commonNameOf).sort();
        const declared = generationsOf(zone, settings)
          .roots.accepted.map((number) => numbered(`${trustDomainOf(zone, settings.datacenter)} root`, number))
          .sort();
        return names.length === 0 || names.join() === declared.join()
          ? []
          : [`${zone}: trusted ${names.join(", ")}; declared ${declared.join(", ")}`];
      });
      return judged(found, "others are trusted than are declared");
    },
  },
  {
    id: "trust-scope",
    category: "identity",
    phase: "after",
    title: "every sidecar trusts the zones of its peers, and no other",
    tells: "Compares which zones have a file in each `<service>-trust` with the plan.",
    remedy: "run `pulumi up`, which writes them",
    more: "certificates.md#one-identity-a-certificate",
    needs: ["namespaces-there"],
    run: async (context) => {
      const live = new Map((await context.live.inZones(KINDS.configMaps)).map((one) => [titleOf(one), one]));
      const planned = (await declaredIn(context).objects("ConfigMap")).filter(({ metadata }) =>
        metadata.name.endsWith("-trust"),
      );
      const found = planned.flatMap((one) => {
        const own = live.get(titleOf(one));
        if (own === undefined) return [`${titleOf(one)} is missing`];
        const [has, declared] = [filesOf(own.data), filesOf(one.data)];
        return has === declared ? [] : [`${titleOf(one)} has ${has}, not ${declared}`];
      });
      return judged(found, "some trust others, or fewer");
    },
  },
  {
    id: "revocation-lists",
    category: "identity",
    phase: "after",
    title: "every issuing authority has its revocation list with the peers, and what is declared revoked stands in it",
    tells:
      "Reads the lists of the bundles: their authorities, their end, and the serial numbers of `revokedCertificates`. Certificates of revoked services are not told apart from others.",
    remedy: "run `pulumi up`; without its list a peer refuses all that an authority signed",
    more: "certificates.md#revoking-a-certificate",
    needs: ["trust-bundles"],
    run: revocations,
  },
];

function unequal(bundles: readonly Bundle[], zone: ZoneName): readonly string[] {
  const roots = mostOf(bundles.map((one) => one.roots));
  const lists = mostOf(bundles.flatMap(({ revocations }) => revocations ?? []));
  return bundles.flatMap((one) => [
    ...(one.roots === ""
      ? [`${one.consumer} holds no roots of ${zone} that can be read`]
      : one.roots === roots
        ? []
        : [`${one.consumer} has other roots of ${zone} than most`]),
    ...(one.revocations === undefined || one.revocations === lists
      ? []
      : [`${one.consumer} has other revocation lists of ${zone} than most`]),
  ]);
}

async function revocations(context: CheckContext) {
  const { settings } = declaredIn(context);
  const bundles = await readBundles(context);
  const findings: string[] = [];
  for (const zone of ZONES) {
    const pems = bundles.flatMap((one) =>
      one.zone === zone && one.revocations !== undefined ? [one.revocations] : [],
    );
    if (pems.length === 0) continue;
    let lists;
    try {
      lists = revocationListsIn(mostOf(pems));
    } catch (error) {
      return failure(`the lists of ${zone} can't be read`, [error instanceof Error ? error.message : String(error)]);
    }
    for (const name of issuersOf(zone, settings)) {
      const list = lists.find(({ issuer }) => issuer === name);
      if (list === undefined) findings.push(`${name} has no list`);
      else if ((list.nextUpdate?.getTime() ?? Infinity) < context.now().getTime())
        findings.push(`the list of ${name} has ended`);
      const missing = (settings.revokedCertificates ?? []).filter(
        (one) => one.zone === zone && list?.serials.includes(one.serial) === false,
      );
      findings.push(...missing.map(({ service, serial }) => `${name} does not list ${serial} of ${service}`));
    }
  }
  return findings.length === 0 ? ok() : failure("peers believe what is revoked, or nobody", findings);
}

/** Names of a zone's issuing authorities: of each kept generation under each trusted root. */
function issuersOf(
  zone: ZoneName,
  settings: Parameters<typeof generationsOf>[1] & { readonly datacenter?: string | undefined },
): readonly string[] {
  const domain = trustDomainOf(zone, settings.datacenter);
  const { roots, issuers } = generationsOf(zone, settings);
  return roots.accepted.flatMap((root) =>
    issuers.accepted.map((issuer) =>
      numbered(`${domain} ${root === 1 ? "issuing" : `root ${String(root)} issuing`}`, issuer),
    ),
  );
}

/** The first generation of an authority bears no number. */
function numbered(name: string, generation: number): string {
  return generation === 1 ? name : `${name} ${String(generation)}`;
}

function filesOf(data: unknown): string {
  return (
    Object.keys(data ?? {})
      .sort()
      .join(", ") || "none"
  );
}
