import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { runLogged } from "../../../dev/toolchain/command";
import { mayPass, reasonFrom, StepFailure, Stopped } from "../../../dev/toolchain/failure";

describe("toolchain: a failing step", () => {
  it("says which, why, where its log lies and how to go on", () => {
    const failure = new StepFailure("consul 1.21.0", ["main.go:3: undefined: x"], "/cache/logs/consul.log");
    assert.equal(
      failure.message,
      [
        "consul 1.21.0 failed:",
        "    main.go:3: undefined: x",
        "  log: /cache/logs/consul.log",
        "  Run the same command again to go on from there: what is finished is kept.",
      ].join("\n"),
    );
  });

  it("gives the reason without the lines that only show progress", () => {
    const output = "go: downloading a.b/c v1.0.0\nfmt\na.b/c/d\n# a.b/c\nc.go:1:2: undefined: x\r\n";
    assert.deepEqual(reasonFrom(output, "exit code 1"), ["# a.b/c", "c.go:1:2: undefined: x"]);
    assert.deepEqual(reasonFrom("Killed\n", "signal SIGKILL"), ["Killed"]);
    assert.deepEqual(reasonFrom("fmt\n", "signal SIGKILL"), ["it ended with signal SIGKILL and said nothing"]);
    assert.equal(reasonFrom("a line\n".repeat(100), "exit code 1").length, 8);
    assert.ok(reasonFrom(`go: ${"x".repeat(9999)}`, "exit code 1").every((line) => line.length < 400));
  });

  const passing = [
    'Get "https://modules.example/x": net/http: TLS handshake timeout',
    "dial tcp: lookup modules.example: Temporary failure in name resolution",
    "read tcp 10.0.0.1:443: connection reset by peer",
    "reading https://modules.example/x.zip: 502 Bad Gateway",
    "pip._vendor.urllib3.exceptions.ReadTimeoutError: HTTPSConnectionPool(host='wheels.example', port=443): Read timed out.",
    "E: Failed to fetch http://packages.example/x.deb  Connection timed out [IP: 1.2.3.4 80]",
  ];
  const final = [
    "reading https://modules.example/x.info: 403 Forbidden",
    "reading https://sums.example/lookup/x: 404 Not Found",
    "verifying x@v1: checksum mismatch\nSECURITY ERROR\nconnection reset",
    "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
    "write /tmp/x: no space left on device\nunexpected EOF",
    "main.go:3: undefined: x",
  ];
  for (const output of passing) {
    it(`is tried again after: ${output}`, () => {
      assert.equal(mayPass(output), true);
    });
  }
  for (const output of final) {
    it(`is not tried again after: ${output.split("\n")[0] ?? ""}`, () => {
      assert.equal(mayPass(output), false);
    });
  }
});

describe("toolchain: a step's command", () => {
  let folder = "";
  let logFile = "";
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "toolchain-command-"));
    logFile = path.join(folder, "step.log");
  });
  afterEach(() => {
    fs.rmSync(folder, { recursive: true });
  });
  const node = (script: string, signal?: AbortSignal) =>
    runLogged({ step: "a step", logFile, command: process.execPath, args: ["-e", script], signal });

  it("has all that it says in the log, and its standard output as result", async () => {
    const result = await node('console.log("to out"); console.error("to err")');
    assert.equal(result.stdout, "to out\n");
    const log = fs.readFileSync(logFile, "utf8");
    assert.match(log, /^\n\$ .*to out/);
    assert.match(log, /^to out$/m);
    assert.match(log, /^to err$/m);
  });

  it("fails with its last lines", async () => {
    await assert.rejects(node('console.error("the reason: x"); process.exit(3)'), (error: unknown) => {
      assert.ok(error instanceof StepFailure);
      assert.deepEqual(error.reason, ["the reason: x"]);
      assert.equal(error.log, logFile);
      return true;
    });
    assert.match(fs.readFileSync(logFile, "utf8"), /\[exit code 3\]/);
  });

  it("fails in words when the program is missing", async () => {
    const missing = runLogged({ step: "a step", logFile, command: path.join(folder, "none"), args: [] });
    await assert.rejects(missing, /it ended with ENOENT and said nothing/);
  });

  it("is stopped by its signal", async () => {
    const abort = new AbortController();
    const stopped = node("setInterval(() => {}, 1000)", abort.signal);
    setTimeout(() => {
      abort.abort();
    }, 50);
    await assert.rejects(stopped, Stopped);
  });
});
