/** What is remembered of one pod's sidecar between two looks at it. Holds no connection and no clock of its own. */
import type { ServedCertificate, SidecarState } from "./answers.js";
import { VERSIONED, type SidecarFiles, type VersionedFile } from "./files.js";

/** Milliseconds within which what stands in the API server has come to a sidecar: kubelet looks for changed ConfigMaps and Secrets every 60 to 90 s by itself. */
export const PATIENCE = 100_000;
/** The same from when the controller saw that kubelet was told of it. */
export const TOLD_PATIENCE = 20_000;
/** Milliseconds between two looks at the certificates of a sidecar about which nothing is open. */
const CERTIFICATES = 60_000;
/** Tries in a row that fail, a round after the other, until a sidecar is asked less often: a connection that ends by its age may meet a question. */
const TRIES = 3;
/** Milliseconds between two tries from then on. */
const SILENT = 12_000;

export class KnownSidecar {
  /** When it was asked last, and when for its certificates. */
  askedAt = 0;
  private certificatesAt = 0;
  private answeredAt: number | undefined;
  /** Why it didn't answer last time. */
  error: string | undefined;
  private failures = 0;
  /** What was expected of it last, since when, and since when kubelet is told of that. */
  private expected = "";
  private expectedSince: number;
  private toldSince: number | undefined;
  /** What certificates it showed last, and since when. */
  private shown = "";
  private shownSince: number;
  private state: SidecarState | undefined;
  /** Files of which it has rejected a version, and accepted none since, with how many it had accepted when that was seen. */
  private readonly doubtful = new Map<VersionedFile, number>();
  /** Whether something about it is open: it doesn't run by what it should, yet or at all. */
  isOpen = true;

  /** @param since when it was first looked for; milliseconds since 1970, as all times here */
  constructor(
    /** The pod's. */
    readonly uid: string,
    private readonly since: number,
  ) {
    this.expectedSince = since;
    this.shownSince = since;
  }

  /** Smaller is sooner: first those about which something is open. */
  get rank(): number {
    return this.isOpen ? this.askedAt - Number.MAX_SAFE_INTEGER / 2 : this.askedAt;
  }

  /** Files of which it has rejected a version, and accepted none since. */
  get rejected(): readonly VersionedFile[] {
    return [...this.doubtful.keys()];
  }

  /** Whether it did not answer several times in a row. */
  get isSilent(): boolean {
    return this.failures >= TRIES;
  }

  isToBeAsked(now: number): boolean {
    return !this.isSilent || now - this.askedAt >= SILENT;
  }

  wantsCertificates(now: number): boolean {
    return this.isOpen || now - this.certificatesAt >= CERTIFICATES;
  }

  /** Takes down since when something is expected of it, and since when kubelet is told of that. */
  expect(what: unknown, isTold: boolean, now: number): void {
    const expected = JSON.stringify(what);
    if (this.expected !== expected) {
      this.expected = expected;
      this.expectedSince = now;
      this.toldSince = undefined;
      this.isOpen = true;
    }
    if (!isTold) this.toldSince = undefined;
    else this.toldSince ??= now;
  }

  /** Whether what is expected must have come by now. */
  isDue(now: number): boolean {
    const told = this.toldSince ?? Number.POSITIVE_INFINITY;
    return now >= Math.min(this.expectedSince + PATIENCE, told + TOLD_PATIENCE);
  }

  /**
   * It said by what it runs.
   *
   * @returns whether it said the same before: what is expected may have changed since the question, and while files are exchanged a listener may be between two of them
   */
  said(state: SidecarState, files: SidecarFiles): boolean {
    const before = this.state;
    this.state = state;
    for (const file of VERSIONED) {
      const accepted = this.doubtful.get(file);
      if (accepted !== undefined && state.accepted[file] > accepted) this.doubtful.delete(file);
      if (before === undefined || state.rejected[file] <= before.rejected[file]) continue;
      // Of two changes between two looks nobody knows the order: by its version the good one came last.
      const isLast = state.accepted[file] > before.accepted[file] && state.running[file] === files[file].version;
      if (!isLast) this.doubtful.set(file, state.accepted[file]);
    }
    return before !== undefined && runsTheSame(before, state);
  }

  /** It has shown its certificates. */
  showed(certificates: readonly ServedCertificate[], now: number): void {
    this.certificatesAt = now;
    const shown = certificates
      .map((certificate) => JSON.stringify(certificate))
      .sort()
      .join();
    if (this.shown === shown) return;
    this.shown = shown;
    this.shownSince = now;
  }

  /**
   * Whether what it shows must be the certificate that was issued last. A Secret is written before what is told of it, so a sidecar may show what the controller hears of later; and the one
   * that it had is good for long still, so kubelet is given the time that it takes by itself.
   */
  isCertificateDue(now: number): boolean {
    return now >= Math.max(this.expectedSince, this.shownSince) + PATIENCE;
  }

  answered(now: number): void {
    this.error = undefined;
    this.failures = 0;
    this.answeredAt = now;
  }

  failed(error: string): void {
    this.error = error;
    this.failures += 1;
  }

  /** Milliseconds for which it has not answered. */
  silentFor(now: number): number {
    return this.error === undefined ? 0 : now - (this.answeredAt ?? this.since);
  }
}

function runsTheSame(before: SidecarState, now: SidecarState): boolean {
  return before.listeners === now.listeners && VERSIONED.every((file) => before.running[file] === now.running[file]);
}
