import fc from "fast-check";
import type { Assumptions, Certificate, Edge, Party, Timeline } from "../../../../proof/timeline";

/** Which generations of one kind of authority a zone has, and the one that signs. */
interface Generations {
  readonly accepted: readonly number[];
  readonly issuing: number;
}

/** Random settings of a zone: everything small, so that everything is near everything else. */
export interface ZoneSettings {
  readonly roots: Generations;
  readonly issuers: Generations;
  /** Life and early renewal, in whole hours, of its roots, issuing authorities and leaves. */
  readonly hours: Readonly<Record<Certificate["role"], readonly [life: number, early: number]>>;
  /** Who makes its leaves. */
  readonly leavesBy: Certificate["madeBy"];
}

const ZONES = ["alpha", "beta"] as const;
type Zone = (typeof ZONES)[number];
export type Settings = Readonly<Record<Zone, ZoneSettings>>;

/** Two parties in each zone. */
const PARTIES = ZONES.flatMap((zone) => [
  { zone, name: `${zone}/one` },
  { zone, name: `${zone}/two` },
]);

const generations: fc.Arbitrary<Generations> = fc
  .subarray([1, 2, 3], { minLength: 1 })
  .chain((accepted) => fc.record({ accepted: fc.constant(accepted), issuing: fc.constantFrom(...accepted) }));

const hours = fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 22 }));

const zoneSettings: fc.Arbitrary<ZoneSettings> = fc.record({
  roots: generations,
  issuers: generations,
  hours: fc.record({ root: hours, issuing: hours, leaf: hours }),
  leavesBy: fc.constantFrom("update" as const, "issuer" as const),
});

export const settings: fc.Arbitrary<Settings> = fc.record({ alpha: zoneSettings, beta: zoneSettings });

export const edges: fc.Arbitrary<readonly Edge[]> = fc.uniqueArray(
  fc.record({
    from: fc.constantFrom(...PARTIES.map(({ name }) => name)),
    to: fc.constantFrom(...PARTIES.map(({ name }) => name)),
  }),
  { maxLength: 6, selector: ({ from, to }) => `${from} ${to}` },
);

export const assumptions: fc.Arbitrary<Assumptions> = fc.record({
  updateHours: fc.integer({ min: 1, max: 9 }),
  issuerHours: fc.constantFrom(0.5, 1, 2),
  distributionHours: fc.integer({ min: 0, max: 3 }),
});

/** The timeline of settings, as ServiceMesh makes one. */
export function timelineOf(of: Settings, between: readonly Edge[]): Timeline {
  const certificates = new Map<string, Certificate>();
  const make = (zone: Zone, role: Certificate["role"], name: string, signer?: string) => {
    const [lifeHours, earlyHours] = of[zone].hours[role];
    const madeBy = role === "leaf" ? of[zone].leavesBy : "update";
    certificates.set(name, { name, role, subject: name, zone, lifeHours, earlyHours, madeBy, signer });
  };
  for (const zone of ZONES) {
    for (const root of of[zone].roots.accepted) {
      make(zone, "root", rootName(zone, root));
      for (const issuer of of[zone].issuers.accepted)
        make(zone, "issuing", issuerName(zone, root, issuer), rootName(zone, root));
    }
  }
  for (const { zone, name } of PARTIES)
    make(zone, "leaf", `${name} leaf`, issuerName(zone, of[zone].roots.issuing, of[zone].issuers.issuing));
  const named = [...certificates.values()];
  const namesOf = (role: Certificate["role"]) =>
    new Set(named.filter((certificate) => certificate.role === role).map(({ name }) => name));
  const parties = PARTIES.map(({ name }): Party => ({
    name,
    shows: `${name} leaf`,
    roots: namesOf("root"),
    lists: namesOf("issuing"),
  }));
  return { certificates, parties: new Map(parties.map((party) => [party.name, party])), edges: between };
}

function rootName(zone: Zone, root: number): string {
  return `${zone} root ${String(root)}`;
}

function issuerName(zone: Zone, root: number, issuer: number): string {
  return `${rootName(zone, root)} issuing ${String(issuer)}`;
}
