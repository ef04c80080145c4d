/** What is wrong with what a sidecar says of itself. Pure. */
import type { DriftClass } from "../../../../mesh/declarations/index.js";
import type { ServedCertificate, SidecarState } from "./answers.js";
import { VERSIONED, type SidecarFiles, type VersionedFile } from "./files.js";

/** By what a sidecar is to run. */
export interface Expectation {
  /** Its files as they stand in the ConfigMap. */
  readonly files: SidecarFiles;
  /** Those of them that are not as they were declared. */
  readonly undeclared: readonly VersionedFile[];
  /** Versions that were declared before, each as `<file>@<version>`. */
  readonly earlier: ReadonlySet<string>;
}

/** How its certificate is to be. */
export interface ExpectedCertificate {
  /** Its one URI name; undefined where that isn't known. */
  readonly identity: string | undefined;
  /** When it ends, milliseconds since 1970; undefined where that isn't told. */
  readonly end: number | undefined;
  /** Its serial number, as an issuer has noted it; undefined where none makes it. */
  readonly serial: string | undefined;
}

/** How long there was time to bring what is expected to the sidecar. */
export interface Waited {
  /** Whether it must have arrived by now. */
  readonly isDue: boolean;
  /** Files of which the sidecar has rejected a version, and accepted none since. */
  readonly rejected: readonly VersionedFile[];
}

/** What is told of a sidecar. */
export interface Verdict {
  readonly class: DriftClass;
  readonly detail: string;
}

/** What of its files a sidecar does not run by; undefined where it runs by what was declared, or had no time yet to come to it. */
export function judgeFiles(
  { files, undeclared, earlier }: Expectation,
  { running, listeners }: SidecarState,
  { isDue, rejected }: Waited,
): Verdict | undefined {
  const problems = VERSIONED.flatMap((file): Verdict[] => {
    const [is, wanted] = [running[file], files[file].version];
    // Of what is rejected a part may be in force, whatever the version.
    if (rejected.includes(file)) {
      const detail = `has rejected a change of ${file}, of which a part may be in force; what it accepted last is version ${named(is)}`;
      return [{ class: "enforcement", detail }];
    }
    if (is === wanted) {
      return undeclared.includes(file)
        ? [{ class: "enforcement", detail: `runs by ${file} of version ${named(is)}, which nobody declared` }]
        : [];
    }
    if (!isDue) return [];
    const isEarlier = earlier.has(versionKey(file, is));
    return [
      {
        class: isEarlier ? "configuration" : "enforcement",
        detail: `runs by ${file} of version ${named(is)}${isEarlier ? ", declared before," : ""} and not by ${named(wanted)}`,
      },
    ];
  });
  const wanted = files["listeners.yaml"].listeners;
  if (problems.length === 0 && isDue && listeners !== wanted)
    problems.push({
      class: "enforcement",
      detail: `has ${String(listeners)} listeners of the ${String(wanted)} that its file has`,
    });
  return together(problems);
}

/** What of the certificates that a sidecar shows is not as it was issued. */
export function judgeCertificates(
  served: readonly ServedCertificate[],
  expected: ExpectedCertificate,
  { isDue }: Pick<Waited, "isDue">,
): Verdict | undefined {
  const { identity } = expected;
  const problems = served.flatMap((certificate): Verdict[] => {
    const { serial, uris } = certificate;
    const names = uris.join(", ");
    if (identity !== undefined && names !== identity)
      return [{ class: "identity", detail: `shows certificate ${serial} of ${names === "" ? "nobody" : names}` }];
    if (!isDue || isIssuedLast(certificate, expected)) return [];
    const detail = `shows certificate ${serial}, which ends at ${iso(certificate.end)}, and not the one issued last${described(expected)}`;
    return [{ class: "identity", detail }];
  });
  if (served.length === 0 && isDue) problems.push({ class: "identity", detail: "shows no certificate" });
  return together(problems);
}

function isIssuedLast({ serial, end }: ServedCertificate, expected: ExpectedCertificate): boolean {
  // Envoy tells whole seconds.
  const endsThen = expected.end === undefined || Math.abs(end - expected.end) < 1000;
  return endsThen && (expected.serial === undefined || expected.serial === serial);
}

function described({ serial, end }: ExpectedCertificate): string {
  return `${serial === undefined ? "" : `, ${serial}`}${end === undefined ? "" : `, which ends at ${iso(end)}`}`;
}

export function versionKey(file: VersionedFile, version: string): string {
  return `${file}@${version}`;
}

/** One finding of several: as grave as the gravest of them. */
function together(problems: readonly Verdict[]): Verdict | undefined {
  const [first] = problems;
  if (first === undefined) return undefined;
  const gravest = problems.find((problem) => problem.class === "enforcement") ?? first;
  return { class: gravest.class, detail: problems.map(({ detail }) => detail).join("; ") };
}

function named(version: string): string {
  return version === "" ? "none" : version;
}

function iso(time: number): string {
  return new Date(time).toISOString().replace(".000Z", "Z");
}
