// Read by tsx wherever the pack lies: Pulumi's own compiler leaves out what npm installed.
require("tsx/cjs");
require("./index.ts");
