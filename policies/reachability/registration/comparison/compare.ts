import type { Place } from "../../layer";
import { RIGHTS } from "../model";
import type { BackendName, Credential, Directory, Entitlement, Item, Right } from "../model";
import { assign } from "./assign";
import { actText, listed, whoText } from "./text";

/** Who may have which rights at one backend. */
export interface RegistrationDeclaration {
  readonly backend: BackendName;
  readonly entitlements: readonly Entitlement[];
  /** All services that there are, and how messages call each. */
  readonly services: ReadonlyMap<string, string>;
  /** Whether this is a bound: rights may be missing then, and nobody must have any. */
  readonly atMost?: boolean;
}

export type RegistrationViolationKind = "undeclared" | "refused" | "held" | "missing" | "unsaid";

export interface RegistrationViolation {
  readonly kind: RegistrationViolationKind;
  readonly text: string;
  readonly places: readonly Place[];
}

/**
 * What in a directory is not as it is declared. None: everybody can do there exactly what he is to.
 *
 * @param directory undefined where the objects say nothing of any
 */
export function compare(
  directory: Directory | undefined,
  declaration: RegistrationDeclaration,
): readonly RegistrationViolation[] {
  if (directory !== undefined) return new Comparison(directory, declaration).violations();
  const { backend, entitlements, atMost } = declaration;
  if (atMost === true || entitlements.every(({ isRequired }) => !isRequired)) return [];
  const text = `the objects don't say who may do what at ${backend}, which is the declared discovery backend`;
  return [{ kind: "unsaid", text, places: [] }];
}

class Comparison {
  private readonly items: readonly Item[];

  constructor(
    private readonly directory: Directory,
    private readonly declaration: RegistrationDeclaration,
  ) {
    this.items = directory.items([...declaration.services.keys()], declaration.entitlements);
  }

  violations(): RegistrationViolation[] {
    const { entitlements, atMost } = this.declaration;
    const assigned = assign(this.directory, this.items, entitlements, atMost === true).filter(({ credential }) =>
      this.items.some((item) => this.directory.granted(credential, item).length > 0),
    );
    return [
      ...assigned.flatMap(({ credential, entitlement }) => [
        ...this.beyond(credential, entitlement),
        ...this.misheld(credential, entitlement),
        ...(atMost === true || entitlement === undefined ? [] : this.short(credential, entitlement)),
      ]),
      ...(atMost === true
        ? []
        : entitlements.flatMap((entitlement) =>
            this.missing(
              entitlement,
              assigned.filter((one) => one.entitlement === entitlement).map(({ credential }) => credential),
            ),
          )),
    ];
  }

  /** What a credential lets be done that nobody is to do by it. */
  private beyond(credential: Credential, entitlement: Entitlement | undefined): RegistrationViolation[] {
    const found = this.differing(
      (item) => this.directory.granted(credential, item),
      (item) => (entitlement === undefined ? [] : this.directory.entitled(entitlement, item)),
    );
    const purpose = entitlement === undefined ? "nobody is to have any" : `it is what ${entitlement.title}`;
    return grouped(found, (item, right) => this.directory.groundOf(credential, item, right)).map(
      ({ right, items, ground }) => ({
        kind: "undeclared" as const,
        text: `${whoText(credential)} can ${actText(right, items, this.declaration.services)} by ${credential.title}, which nobody declared (${purpose}): ${ground}`,
        places: [credential.place],
      }),
    );
  }

  /** What is to be done by a credential, and can't be. */
  private short(credential: Credential, entitlement: Entitlement): RegistrationViolation[] {
    const found = this.differing(
      (item) => this.directory.entitled(entitlement, item),
      (item) => this.directory.granted(credential, item),
    );
    return grouped(found, (item, right) => this.directory.groundOf(credential, item, right)).map(
      ({ right, items, ground }) => ({
        kind: "refused" as const,
        text: `${whoText(credential)} can't ${actText(right, items, this.declaration.services)} by ${credential.title}, which is declared (it is what ${entitlement.title}): ${ground}`,
        places: [credential.place],
      }),
    );
  }

  /** Who has a credential that is for others. */
  private misheld({ title, holders = [] }: Credential, entitlement: Entitlement | undefined): RegistrationViolation[] {
    if (entitlement === undefined) return [];
    return holders
      .filter(({ party }) => !entitlement.holders.includes(party))
      .map(({ party, place }) => ({
        kind: "held" as const,
        text: `${party} has ${title}${title.includes(place.object) ? "" : ` by ${place.object}`}: it is what ${entitlement.title}, and for ${listed(entitlement.holders)} alone`,
        places: [place],
      }));
  }

  /** What nobody can do who is to. */
  private missing(entitlement: Entitlement, credentials: readonly Credential[]): RegistrationViolation[] {
    const [holder = "nobody"] = entitlement.holders;
    const isHeld = credentials.some(
      ({ holders }) => holders === undefined || holders.some(({ party }) => party === holder),
    );
    if (!entitlement.isRequired || isHeld) return [];
    return [
      {
        kind: "missing",
        text: `${holder} has nothing that ${entitlement.title} at ${this.declaration.backend}, which is declared${credentials.length === 0 ? "" : `: ${listed(credentials.map(({ title }) => title))} lies in no object that it reads`}`,
        places: credentials.map(({ place }) => place),
      },
    ];
  }

  /** Rights that one side gives and the other does not, with the items that they are about. */
  private differing(rights: (item: Item) => readonly Right[], others: (item: Item) => readonly Right[]) {
    return this.items.flatMap((item) => {
      const other = others(item);
      // To write includes the rest, so that the rest needs no words.
      const differing = rights(item).filter((right) => !other.includes(right));
      const highest = RIGHTS.filter((right) => differing.includes(right)).at(-1);
      return highest === undefined ? [] : [{ item, right: highest }];
    });
  }
}

interface Group {
  readonly right: Right;
  readonly ground: string;
  readonly items: Item[];
}

/** Puts together what one rule decides about several items. */
function grouped(
  found: readonly { readonly item: Item; readonly right: Right }[],
  groundOf: (item: Item, right: Right) => string,
): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const { item, right } of found) {
    const ground = groundOf(item, right);
    const key = JSON.stringify([right, ground, item.isName]);
    const group = groups.get(key) ?? { right, ground, items: [] };
    groups.set(key, group);
    group.items.push(item);
  }
  return [...groups.values()];
}
