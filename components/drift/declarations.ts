import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { renderTrust } from "../../envoy";
import { ZONES, type ZoneName } from "../../mesh";
import {
  DECLARATION,
  declarationParts,
  declaredKey,
  textDigest,
  trustDigestAnnotation,
  writtenDown,
  type DeclaredObject,
} from "../../mesh/declarations";
import { LABELS, PART_OF } from "../../mesh/wire";
import type { ZoneTrust } from "../certificate-authority";
import { SHARED_PART } from "../parts/part";
import type { Zone } from "../zone";
import type { Recorded } from "./recorder";

export interface DeclarationsArgs {
  /** Zones that this stack makes. */
  readonly zones: readonly Zone[];
  readonly trust: Readonly<Record<ZoneName, ZoneTrust>>;
  /** What was recorded of everything else that this stack makes. */
  readonly recorded: readonly Recorded[];
}

/**
 * What the program declares, in each zone's namespace, by which the controller tells drift: ConfigMaps `lucid-declared-<n>` that are written before the first object of
 * their zone is changed, and `lucid-declared-done`, which is written after the last and deleted first. What stands otherwise in the two is being changed by an update. By what zones are
 * trusted is told by digests in a third.
 */
export class Declarations extends pulumi.ComponentResource {
  /** Everything that is written first. */
  readonly written: readonly pulumi.Resource[];
  /** By what zones are trusted, written before that is changed. */
  readonly trusted: readonly pulumi.Resource[];

  constructor(name: string, args: DeclarationsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:Declarations", name, {}, opts);
    const annotations = trustDigests(args.trust);
    const written = args.zones.map((zone) => this.write(name, zone, args, annotations));
    this.written = written.flatMap(({ objects }) => objects);
    this.trusted = written.map(({ trust }) => trust);
    this.registerOutputs({});
  }

  private write(
    name: string,
    zone: Zone,
    { zones, recorded }: DeclarationsArgs,
    annotations: Readonly<Record<string, pulumi.Output<string>>>,
  ): { readonly objects: readonly pulumi.Resource[]; readonly trust: pulumi.Resource } {
    const namespaces = zones.map(({ model }) => model.namespace);
    const own = recorded.filter(({ object }) => isOf(zone, object, namespaces));
    const objects = own.map(({ object }) => object);
    const { namespace } = zone.model;
    const labels = (what: "objects" | "trust" | "done") => ({
      [LABELS.partOf]: PART_OF,
      [LABELS.zone]: zone.model.name,
      [DECLARATION.label]: what,
    });
    const declared = declarationParts(objects).map(
      (data, index) =>
        new kubernetes.core.v1.ConfigMap(
          `${name}-${zone.model.name}-${String(index)}`,
          {
            metadata: {
              name: `${DECLARATION.prefix}${String(index)}`,
              namespace,
              labels: labels("objects"),
            },
            data,
          },
          { parent: this, dependsOn: zone.namespace },
        ),
    );
    const trust = new kubernetes.core.v1.ConfigMap(
      `${name}-${zone.model.name}-trusted`,
      { metadata: { name: DECLARATION.trust, namespace, labels: labels("trust"), annotations } },
      { parent: this, dependsOn: zone.namespace },
    );
    const digests = objects.map((object) => [declaredKey(object), textDigest(writtenDown(object))] as const);
    new kubernetes.core.v1.ConfigMap(
      `${name}-${zone.model.name}-done`,
      {
        metadata: { name: DECLARATION.done, namespace, labels: labels("done"), annotations },
        data: Object.fromEntries(digests.sort(([one], [other]) => (one < other ? -1 : 1))),
      },
      { parent: this, dependsOn: [...declared, trust, ...own.map(({ resource }) => resource)] },
    );
    return { objects: declared, trust };
  }
}

/** What is in no zone of the stack's own stands with what the zones share. */
function isOf({ model }: Zone, { namespace }: DeclaredObject, namespaces: readonly string[]): boolean {
  if (namespace !== undefined && namespaces.includes(namespace)) return namespace === model.namespace;
  return model.name === SHARED_PART;
}

/** By which it is told whether sidecars trust whom they are to trust: roots and revocation lists are known only when they are made. */
function trustDigests(trust: Readonly<Record<ZoneName, ZoneTrust>>): Record<string, pulumi.Output<string>> {
  return Object.fromEntries(
    ZONES.map((zone) => {
      const { rootsPem, revocationsPem } = trust[zone];
      const file = pulumi
        .all([rootsPem, revocationsPem])
        .apply(([roots, revocations]) => textDigest(renderTrust(zone, roots, revocations)));
      return [trustDigestAnnotation(zone), file];
    }),
  );
}
