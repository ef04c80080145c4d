import { DeclaredAcl } from "../declarations/acl";
import { difference } from "../declarations/compare";
import { DeclaredObject, trustDigestOf } from "../declarations/declaration";
import type { Told, What } from "../declarations/declaration";
import { digestOf } from "../declarations/digest";
import { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import { UNKNOWN } from "../judgement/plain";
import type { Plain } from "../judgement/plain";
import { findingsIn } from "../judgement/rule";
import type { StackFinding, StackResource } from "../judgement/rule";

const MEND = "have ServiceMesh write down what is declared";

/** What is told of one object. */
interface Entry {
  readonly where: Field;
  readonly part: DeclaredObject;
  readonly text: string;
}

/**
 * What the controller is told was declared is what the plan makes, in Kubernetes and at Consul. It writes NetworkPolicies and admission policies as they stand there, and takes away what doesn't: an
 * entry that says less than the object would open in the cluster what every other rule finds closed in the plan.
 */
export function falseDeclarations(resources: readonly StackResource[]): StackFinding[] {
  const parts: DeclaredObject[] = [];
  const made: Told[] = [];
  for (const resource of resources) {
    // What can't be told of an object is found where that is judged.
    findingsIn(resource, () => {
      const object = DeclaredObject.of(resource) ?? DeclaredAcl.of(resource);
      if (object === undefined || object.key === "") return;
      if (object instanceof DeclaredObject && object.isDeclaration) parts.push(object);
      else made.push(object);
    });
  }
  // A stack that joins declares nothing: it makes nothing that the controller writes.
  return parts.length === 0 ? [] : new Declarations(parts, made).judge();
}

class Declarations {
  private readonly objects: ReadonlyMap<string, Told>;
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly parts: readonly DeclaredObject[],
    made: readonly Told[],
  ) {
    this.objects = new Map(made.map((one) => [one.key, one]));
  }

  judge(): StackFinding[] {
    return [
      ...this.ofEach(this.parts, (part, findings) => {
        this.read(part, findings);
      }),
      ...[...this.entries].flatMap(([key, entry]) =>
        this.ofEach([entry.part], (_, findings) => {
          this.judgeEntry(key, entry, findings);
        }),
      ),
      ...this.ofEach(this.parts, (part, findings) => {
        this.judgeEnd(part, findings);
      }),
      ...this.ofEach([...this.objects.values()], (object, findings) => {
        findings.require(
          this.entries.has(object.key),
          "",
          "no declaration tells of it, so the controller takes it for another's",
          MEND,
        );
      }),
    ];
  }

  private ofEach<T extends Told>(
    objects: readonly T[],
    judge: (object: T, findings: Findings) => void,
  ): StackFinding[] {
    return objects.flatMap((object) =>
      findingsIn(object.resource, (_, findings) => {
        judge(object, findings);
      }),
    );
  }

  private read(part: DeclaredObject, findings: Findings): void {
    const { object } = part;
    findings.require(
      part.isNamed,
      object.metadata,
      "name and label of a declaration don't go together, so that it is read by some and not by others",
      MEND,
    );
    if (part.what !== "objects") return;
    findings.require(object.body.at("binaryData").isEmpty, object.body.at("binaryData"), "declares by bytes", MEND);
    for (const [key, where] of object.body.at("data").entries()) {
      findings.require(!this.entries.has(key), where, `${key} is declared twice, and nobody knows which counts`, MEND);
      this.entries.set(key, { where, part, text: where.text() ?? "" });
    }
    for (const what of ["trust", "done"] as const)
      findings.require(
        this.partOf(part, what) !== undefined,
        "",
        `what is declared here is never whole: ${object.namespace.text() ?? ""} has no declaration of ${what === "done" ? "its end" : "whom its sidecars trust"}`,
        MEND,
      );
  }

  private judgeEntry(key: string, { where, part, text }: Entry, findings: Findings): void {
    const made = this.objects.get(key);
    if (made === undefined) {
      findings.add(where, `declares ${key}, which the plan does not make`, MEND);
      return;
    }
    findings.require(
      part.object.namespace.is(made.home),
      where,
      `${key} is declared where nobody looks for it`,
      `have it declared in ${made.home}`,
    );
    const trusted = this.partOf(part, "trust");
    const place = difference(parsed(text), made.told, {
      mayStand: made.mayStand,
      isFiles: made.isFiles,
      trustDigest: (zone) => (trusted === undefined ? new Field(undefined) : trustDigestOf(trusted, zone)),
    });
    const at = place === undefined || place === "" ? "" : ` (at ${place})`;
    findings.require(place === undefined, where, `declares another ${key} than the plan makes${at}`, MEND);
  }

  /** By digests the controller knows that an update has come to its end. */
  private judgeEnd(part: DeclaredObject, findings: Findings): void {
    if (part.what !== "done") return;
    const trusted = this.partOf(part, "trust");
    const [begun, ended] = [trusted, part].map((one) => one?.object.metadata.at("annotations").plain ?? null);
    findings.require(
      JSON.stringify(known(begun)) === JSON.stringify(known(ended)),
      part.object.metadata.at("annotations"),
      "whom sidecars trust counts as being changed: its digests are not those that are declared",
      MEND,
    );
    const digests = part.object.body.at("data");
    for (const [key, { text, part: told }] of this.entries) {
      if (told.object.namespace.plain !== part.object.namespace.plain) continue;
      findings.require(
        digests.at(key).is(digestOf(text)),
        digests,
        `${key} counts as being changed, or not at all: its digest is not that of what is declared`,
        MEND,
      );
    }
  }

  /** The declaration of another sort that goes with one. */
  private partOf({ object }: DeclaredObject, what: What): DeclaredObject | undefined {
    return this.parts.find(
      (part) => part.what === what && part.isNamed && part.object.namespace.plain === object.namespace.plain,
    );
  }
}

/** With a text for what is not known yet: what both take from one place is unknown in both. */
function known(value: Plain | undefined): unknown {
  if (typeof value !== "object" || value === null) return value === UNKNOWN ? "unknown" : value;
  return Object.entries(value as object).map(([key, field]) => [key, known(field as Plain)]);
}

function parsed(text: string): Plain {
  try {
    return JSON.parse(text) as Plain;
  } catch {
    return null;
  }
}
