import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { SETTING_KEYS, SettingsError, parseSettings } from "../../../components/stack/settings";

const REQUIRED = { apiServerCidr: "10.0.0.1/32", nodeResolverIp: "10.96.0.53", consulIp: "10.96.0.54" };

describe("settings", () => {
  it("have defaults for everything that does not depend on the cluster", () => {
    assert.deepEqual(parseSettings(REQUIRED), {
      ...REQUIRED,
      document: "mesh.yaml",
      imageRegistry: "registry.lucid.internal",
      part: "all",
      apiServerPort: 6443,
      discoveryBackend: "consul",
      driftRepairs: ["isolation", "admission"],
      consulServers: 3,
      etcdServers: 3,
      consulForwardPort: 18501,
      certificateAlgorithm: "ECDSA",
      certValidityDays: 90,
      autoRotateCerts: false,
      leafValidityHours: 24,
      serviceRegistryTtl: 60,
      snapshotIntervalMinutes: 60,
      snapshotsKept: 24,
      tracingEnabled: true,
      updateIntervalHours: 672,
    });
  });

  const cases: readonly [title: string, change: Record<string, string>, expected: RegExp][] = [
    [
      "an unknown key",
      { certValidityDay: "3" },
      /certValidityDay: is not a key of this project; its keys are .*certValidityDays/,
    ],
    ["a life above the maximum", { certValidityDays: "91" }, /certValidityDays: is above 90/],
    ["a life that is no number", { certValidityDays: "soon" }, /certValidityDays: is not a number/],
    ["an issued life that is none", { leafValidityHours: "0" }, /leafValidityHours: is below 1/],
    ["an issued life of more than ninety days", { leafValidityHours: "2161" }, /leafValidityHours: is above 2160/],
    ["rotation that is neither on nor off", { autoRotateCerts: "yes" }, /autoRotateCerts: is neither/],
    [
      "an issued life above the longest",
      { autoRotateCerts: "true", leafValidityHours: "49", certValidityDays: "2" },
      /leafValidityHours: is 49 hours, and no certificate may live longer than 2 days \(certValidityDays\)/,
    ],
    ["updates that never come", { updateIntervalHours: "0" }, /updateIntervalHours: is below 1/],
    ["snapshots without a pause", { snapshotIntervalMinutes: "1" }, /snapshotIntervalMinutes: is below 5/],
    ["snapshots less than daily", { snapshotIntervalMinutes: "1441" }, /snapshotIntervalMinutes: is above 1440/],
    ["a single snapshot", { snapshotsKept: "1" }, /snapshotsKept: is below 2/],
    ["a document without a name", { document: "" }, /document: is empty/],
    ["an even number of servers", { consulServers: "2" }, /consulServers: is even/],
    ["a backend that there is not", { discoveryBackend: "zookeeper" }, /discoveryBackend: is neither consul nor etcd/],
    ["etcd without an address", { discoveryBackend: "etcd" }, /etcdIp: is missing/],
    [
      "etcd on the resolver's address",
      { discoveryBackend: "etcd", etcdIp: REQUIRED.nodeResolverIp },
      /etcdIp: is the same address as nodeResolverIp/,
    ],
    ["a wide API network", { apiServerCidr: "10.0.0.0/8" }, /apiServerCidr: is wider than \/24/],
    [
      "two services on one address",
      { consulIp: REQUIRED.nodeResolverIp },
      /consulIp: is the same address as nodeResolverIp/,
    ],
    ["a registry with a scheme", { imageRegistry: "https://example.org" }, /imageRegistry: is not a registry name/],
    ["a flag that is neither", { tracingEnabled: "yes" }, /tracingEnabled: is neither/],
    ["a Docker host without a scheme", { dockerHost: "/var/run/docker.sock" }, /dockerHost: does not begin with/],
  ];
  for (const [title, change, expected] of cases) {
    it(`refuse ${title}`, () => {
      assert.throws(() => parseSettings({ ...REQUIRED, ...change }), expected);
    });
  }

  it("name every problem at once", () => {
    assert.throws(
      () => parseSettings({ certValidityDays: "0", typo: "x" }),
      (error: unknown) => {
        assert.ok(error instanceof SettingsError);
        assert.deepEqual(error.problems.map(({ key }) => key).sort(), [
          "apiServerCidr",
          "certValidityDays",
          "consulIp",
          "nodeResolverIp",
          "typo",
        ]);
        return true;
      },
    );
  });
});

describe("docs/configuration.md", () => {
  const text = readFileSync(path.resolve(__dirname, "../../../docs/configuration.md"), "utf8");
  const [, part = ""] = text.split("## Stack configuration");
  const rows = new Map([...part.matchAll(/^\| `(\w+)` \|(.*)$/gm)].map(([, key = "", row = ""]) => [key, row]));

  it("has a row for every key of the stack's configuration, and for no other", () => {
    assert.deepEqual([...rows.keys()].filter((key) => !key.startsWith("LUCID_")).sort(), [...SETTING_KEYS].sort());
  });

  it("says each default as it is", () => {
    for (const [key, value] of Object.entries(parseSettings(REQUIRED))) {
      const expected =
        key in REQUIRED ? "required" : `\`${typeof value === "object" ? JSON.stringify(value) : String(value)}\``;
      assert.ok(rows.get(key)?.startsWith(` ${expected} |`), `${key}: its default is ${expected}`);
    }
  });
});
