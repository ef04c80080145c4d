require("tsx/cjs");
module.exports = require("./program.ts").program;
