/** Who may register and look up which names at the discovery backend, credential by credential. */
import { RIGHTS } from "../../policies/reachability/registration";
import type {
  Credential,
  Directory,
  Item,
  RegistrationDeclaration,
  Right,
} from "../../policies/reachability/registration";

/** Something that a credential lets be done. */
export interface RegistrationAct {
  /** `register`, `look up`, `read`, `list`, `write`; each includes the weaker ones. */
  readonly act: string;
  /** `Wallet/payout-router`, `every other node that begins with …`. */
  readonly what: string;
  /** Whether that is a service of the document. */
  readonly isService: boolean;
}

export interface RegistrationRow {
  readonly backend: string;
  /** `AclToken consul-registrar-ops-token`. */
  readonly by: string;
  /** Parties that have it; undefined where the objects don't tell. */
  readonly holders: readonly string[] | undefined;
  readonly acts: readonly RegistrationAct[];
  /** Whether it lets everything be done. */
  readonly isRoot: boolean;
}

export interface RegistrationMatrix {
  /** Of the document, as `Wallet/payout-router`. */
  readonly services: readonly string[];
  readonly rows: readonly RegistrationRow[];
}

/** @param declarations by which items are told apart: what is declared is shown for itself */
export function registrationMatrixOf(
  directories: readonly Directory[],
  declarations: readonly RegistrationDeclaration[],
): RegistrationMatrix {
  const services = new Map(declarations.flatMap((declaration) => [...declaration.services]));
  return {
    services: [...services.values()].sort(),
    rows: directories.flatMap((directory) => {
      const entitlements = declarations
        .filter(({ backend }) => backend === directory.backend)
        .flatMap((declaration) => declaration.entitlements);
      const items = directory.items([...services.keys()], entitlements);
      return directory.credentials.map((credential): RegistrationRow => ({
        backend: directory.backend,
        by: credential.title,
        holders: holdersOf(credential),
        acts: items.flatMap((item) => actsOf(directory.granted(credential, item), item, services)),
        isRoot: items.every((item) => directory.granted(credential, item).includes("write")),
      }));
    }),
  };
}

/** A right by itself, for what changes. */
export interface RegistrationRight {
  readonly who: string;
  readonly by: string;
  readonly act: string;
  readonly what: string;
}

/** What one matrix has that another has not; nothing where either isn't known. */
export function registrationWithout(
  matrix: RegistrationMatrix | undefined,
  other: RegistrationMatrix | undefined,
): readonly RegistrationRight[] {
  if (matrix === undefined || other === undefined) return [];
  const had = new Set(rightsOf(other).map((right) => JSON.stringify(right)));
  return rightsOf(matrix).filter((right) => !had.has(JSON.stringify(right)));
}

/** Who has a credential, in words. */
export function whoHas({ holders }: Pick<RegistrationRow, "holders">): string {
  if (holders === undefined) return "not known here";
  return holders.length === 0 ? "nobody in the cluster" : holders.join(", ");
}

function rightsOf({ rows }: RegistrationMatrix): RegistrationRight[] {
  return rows.flatMap((row) => row.acts.map(({ act, what }) => ({ who: whoHas(row), by: row.by, act, what })));
}

/** The strongest right, which includes the others. What a service's intentions may be follows from the service. */
function actsOf(rights: readonly Right[], item: Item, services: ReadonlyMap<string, string>): RegistrationAct[] {
  const strongest = RIGHTS.filter((right) => rights.includes(right)).at(-1);
  if (strongest === undefined || item.text.startsWith("intentions ")) return [];
  const act = !item.isName ? strongest : strongest === "write" ? "register" : "look up";
  const service = item.service === undefined ? undefined : services.get(item.service);
  return [{ act, what: service ?? item.text, isService: service !== undefined }];
}

function holdersOf({ holders }: Credential): readonly string[] | undefined {
  return holders && [...new Set(holders.map(({ party }) => party))].sort();
}
