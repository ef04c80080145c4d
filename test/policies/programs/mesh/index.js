/* eslint-disable @typescript-eslint/no-require-imports -- Pulumi loads the program as CommonJS, and tsx has to be there before the TypeScript. */
require("tsx/cjs");
require("./program.ts");
