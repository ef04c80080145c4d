export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a log line may carry beside its message. Never a token, a key or a whole object of the cluster. */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Structured log: one JSON object a line. */
export type Log = Readonly<Record<LogLevel, (message: string, fields?: Fields) => void>>;

/** A log that writes lines of at least `minimum` to `write`. */
export function createLog(minimum: LogLevel, write: (line: string) => void): Log {
  const lowest = LOG_LEVELS.indexOf(minimum);
  const at =
    (level: LogLevel) =>
    (message: string, fields: Fields = {}): void => {
      if (LOG_LEVELS.indexOf(level) >= lowest) {
        write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`);
      }
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** The text of whatever was thrown, with the causes below it; one line. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  // Failed connections to several addresses carry no message of their own.
  const own = error.message === "" ? ((error as NodeJS.ErrnoException).code ?? error.name) : error.message;
  const text = error.cause === undefined ? own : `${own}: ${describe(error.cause)}`;
  return text.replace(/\s+/g, " ").slice(0, 500);
}
