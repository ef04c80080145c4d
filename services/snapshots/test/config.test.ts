import assert from "node:assert/strict";
import { ConfigError, parseConfig } from "../src/config.js";

const ENV = {
  CONSUL_HTTP_ADDR: "https://127.0.0.1:8501",
  CONSUL_CACERT: "/etc/consul/trust/ca.crt",
  CONSUL_TLS_SERVER_NAME: "server.dc1.discovery.lucid.internal",
  CONSUL_HTTP_TOKEN_FILE: "/etc/consul/snapshots/token",
  CONSUL_RAFT_ADDRESS: "10.244.0.7:8300",
  SNAPSHOTS_DIR: "/consul/snapshots",
};

describe("the settings of the snapshots", () => {
  it("have a snapshot each hour, and a day of them, where nothing else is said", () => {
    const { interval, kept, raftAddress, consul } = parseConfig(ENV);
    assert.deepEqual({ interval, kept, raftAddress }, { interval: 3600, kept: 24, raftAddress: "10.244.0.7:8300" });
    assert.equal(consul.address.href, "https://127.0.0.1:8501/");
    const other = parseConfig({ ...ENV, SNAPSHOT_INTERVAL: "900", SNAPSHOTS_KEPT: "96" });
    assert.deepEqual([other.interval, other.kept], [900, 96]);
  });

  const refused: readonly [variable: string, value: string | undefined, finds: RegExp][] = [
    ["CONSUL_HTTP_ADDR", undefined, /is missing/],
    ["CONSUL_HTTP_ADDR", "http://127.0.0.1:8500", /no https URL of this pod's loopback/],
    ["CONSUL_HTTP_ADDR", "https://10.96.64.54:8501", /no https URL of this pod's loopback/],
    ["CONSUL_HTTP_ADDR", "https://127.0.0.1:8501@evil.example:443", /no https URL of this pod's loopback/],
    ["CONSUL_CACERT", undefined, /is missing/],
    ["CONSUL_TLS_SERVER_NAME", "", /is empty/],
    ["CONSUL_HTTP_TOKEN_FILE", "token", /no absolute path/],
    ["CONSUL_RAFT_ADDRESS", "10.244.0.7", /no <address>:<port>/],
    ["SNAPSHOTS_DIR", undefined, /is missing/],
    ["SNAPSHOT_INTERVAL", "0", /is below 1/],
    ["SNAPSHOT_INTERVAL", "hourly", /is no number/],
    ["SNAPSHOTS_KEPT", "0", /is below 1/],
    ["SNAPSHOTS_KEPT", "1.5", /no whole number/],
  ];
  for (const [variable, value, finds] of refused)
    it(`refuse ${variable}=${value ?? "(nothing)"}`, () => {
      assert.throws(
        () => parseConfig({ ...ENV, [variable]: value }),
        (error) => {
          assert.ok(error instanceof ConfigError);
          assert.match(error.message, new RegExp(`^${variable}: .*`));
          assert.match(error.message, finds);
          return true;
        },
      );
    });

  it("are told all at once", () => {
    assert.throws(
      () => parseConfig({}),
      (error: Error) => error.message.split("\n").length === 6,
    );
  });
});
