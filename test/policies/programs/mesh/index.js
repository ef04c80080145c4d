require("tsx/cjs");
require("./program.ts");
