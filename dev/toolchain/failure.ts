/** Something the person has to mend before a run makes sense; its message is one line saying what and how to go on. */
export class Refusal extends Error {
  public override readonly name = "Refusal";
}

/** A step that began and failed. Its message names the step, the reason, the log and how to go on. */
export class StepFailure extends Error {
  public override readonly name = "StepFailure";

  public constructor(
    /** The step's title, as the progress lines show it. */
    public readonly step: string,
    /** The last lines that say why; at least one. */
    public readonly reason: readonly string[],
    /** Absolute path of the step's whole log. */
    public readonly log: string,
  ) {
    super(
      [
        `${step} failed:`,
        ...reason.map((line) => `    ${line}`),
        `  log: ${log}`,
        "  Run the same command again to go on from there: what is finished is kept.",
      ].join("\n"),
    );
  }
}

/** A step that was ended because another one had failed: nothing is wrong with it. */
export class Stopped extends Error {
  public override readonly name = "Stopped";
}

const linesKept = 8;
const lineWidth = 200;

// `go build -v` prints each package as it is compiled: a path and nothing else.
const progressLine = /^(go: downloading .*|[a-z0-9][\w.~-]*(\/[\w.~-]+)*|)$/;

/**
 * The last lines of a tool's output that say why it failed: progress lines are left out, very long ones are cut.
 * Never empty.
 */
export function reasonFrom(output: string, exit: string): readonly string[] {
  const telling = output
    .split(/\r?\n|\r/)
    .map((line) => line.trimEnd())
    .filter((line) => !progressLine.test(line))
    .map((line) => (line.length > lineWidth ? `${line.slice(0, lineWidth)}…` : line));
  return telling.length > 0 ? telling.slice(-linesKept) : [`it ended with ${exit} and said nothing`];
}

const passing = [
  /\btime(d)?[ -]?out\b/i,
  /deadline exceeded/i,
  /connection (reset|refused|closed|aborted)/i,
  /temporary failure/i,
  /no such host/i,
  /network is unreachable/i,
  /unexpected EOF|: EOF$/im,
  /INTERNAL_ERROR|GOAWAY/,
  /\b(429 Too Many Requests|50[0234] [A-Z][a-z]+)/,
  /Connection broken|IncompleteRead|ReadTimeoutError|ConnectionError/,
  /Hash Sum mismatch|Undetermined Error/, // apt, when a mirror is being renewed
];

const final = [
  /\b40[134] [A-Z][a-z]+|\b410 Gone/,
  /checksum mismatch|SECURITY ERROR|DO NOT MATCH THE HASHES/i,
  /No space left/i,
];

/**
 * Whether a failure is one of the network's passing moods, so that trying again may help. A refusal (403, 404, a wrong
 * checksum, a full disk) is an answer and isn't asked for twice.
 */
export function mayPass(output: string): boolean {
  return !final.some((pattern) => pattern.test(output)) && passing.some((pattern) => pattern.test(output));
}
