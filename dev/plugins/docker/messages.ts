/** One line of the engine's answer to a build or a push. */
export interface EngineMessage {
  /** Output of the build. */
  readonly stream?: string;
  /** Step of a pull or a push. */
  readonly status?: string;
  /** Why the work failed; the stream ends after it. */
  readonly error?: string;
  /** HTTP status that the error stands for, where the engine gives one. */
  readonly errorCode?: number;
  /** Id of the built image. */
  readonly imageId?: string;
  /** Manifest digest of the pushed image. */
  readonly digest?: string;
}

/** Parses one line; members of other types than the engine's are left out. */
export function parseMessage(line: string): EngineMessage {
  const raw = JSON.parse(line) as {
    readonly stream?: unknown;
    readonly status?: unknown;
    readonly error?: unknown;
    readonly errorDetail?: { readonly code?: unknown; readonly message?: unknown };
    readonly aux?: { readonly ID?: unknown; readonly Digest?: unknown };
  };
  const code = raw.errorDetail?.code;
  return {
    stream: asText(raw.stream),
    status: asText(raw.status),
    error: asText(raw.errorDetail?.message) ?? asText(raw.error),
    errorCode: typeof code === "number" ? code : undefined,
    imageId: asText(raw.aux?.ID),
    digest: asText(raw.aux?.Digest),
  };
}

/** Lines of output kept for the message of a failed build. */
const KEPT_LINES = 20;

/** Follows the messages of one build or push: its last lines of output, and its failure. */
export class Progress {
  private lines: string[] = [];
  private failure: EngineMessage | undefined;
  /** Manifest digest, once it was pushed. */
  digest: string | undefined;

  take(message: EngineMessage): void {
    this.failure ??= message.error === undefined ? undefined : message;
    this.digest = message.digest ?? this.digest;
    const output = (message.stream ?? "").split("\n").filter((line) => line.trim() !== "");
    this.lines = [...this.lines, ...output].slice(-KEPT_LINES);
  }

  /**
   * @param what the work that failed, such as `building the image x`
   * @throws Error when the engine reported a failure, with the last lines of output
   */
  check(what: string): void {
    if (this.failure === undefined) {
      return;
    }
    const { error = "", errorCode } = this.failure;
    const reason = errorCode === 401 ? `authentication is required: ${error}` : error;
    const output = this.lines.map((line) => `\n  ${line}`).join("");
    throw new Error(`${what} failed: ${reason}${output === "" ? "" : `\nlast lines of output:${output}`}`);
  }
}

function asText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
