// @lucid/mesh is TypeScript source. tsx, which it needs itself, reads it where npm has put it; Pulumi's own compiler leaves node_modules out.
require("tsx/cjs");
module.exports = require("./program.ts");
