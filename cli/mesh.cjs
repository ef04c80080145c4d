#!/usr/bin/env node
// The `mesh` command of an installed package: the sources are TypeScript, which tsx runs as they are.
require("tsx/cjs");
require("./main.ts");
