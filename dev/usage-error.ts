/** Something that the person at the keyboard can mend: said in one line, without a stack trace. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** Runs a command's main function; what a person can mend is said in one line, and everything else is a defect shown whole. */
export function runMain(main: () => Promise<number>): void {
  main().then(
    (status) => {
      process.exitCode = status;
    },
    (error: unknown) => {
      // Errors of dev/ made for people say so by their name; anything else is a defect and keeps its stack.
      const forPeople =
        error instanceof Error && /^(Usage|Step|Toolchain|Cluster|Plugin)\w*(Error|Failure)$/.test(error.name);
      console.error(forPeople ? `error: ${error.message}` : error);
      process.exitCode = 1;
    },
  );
}
