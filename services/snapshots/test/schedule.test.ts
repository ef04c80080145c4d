import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../../controller/test/support/eventually.js";
import { createLog } from "../../controller/src/log.js";
import { parseConfig } from "../src/config.js";
import { ConsulError } from "../../controller/src/consul/client.js";
import { Metrics } from "../src/metrics.js";
import { keepSnapshots } from "../src/schedule.js";
import { SnapshotStore } from "../src/store.js";
import { archiveOf, members } from "./support/archives.js";
import { testFolder } from "./support/folder.js";

const SELF = "10.244.0.7:8300";
const TOKEN = "3e1f0a52-0000-4000-8000-5a1b2c3d4e5f";

const numberOf = (text: string | undefined) => (text === "+Inf" ? Number.POSITIVE_INFINITY : Number(text));

describe("the schedule of snapshots", () => {
  const folder = testFolder();
  let leader: string;
  let fails: Error | undefined;
  let saved: number;
  let lines: string[];
  let metrics: Metrics;

  beforeEach(() => {
    [leader, fails, saved, lines, metrics] = [SELF, undefined, 0, [], new Metrics()];
    mkdirSync(join(folder.path, "data"));
    writeFileSync(join(folder.path, "token"), `${TOKEN}\n`);
  });

  const store = () => new SnapshotStore(join(folder.path, "data"));

  async function running(check: () => Promise<void>, kept = 24): Promise<void> {
    const config = parseConfig({
      CONSUL_HTTP_ADDR: "https://127.0.0.1:8501",
      CONSUL_CACERT: "/ca.crt",
      CONSUL_TLS_SERVER_NAME: "server",
      CONSUL_HTTP_TOKEN_FILE: join(folder.path, "token"),
      CONSUL_RAFT_ADDRESS: SELF,
      SNAPSHOTS_DIR: join(folder.path, "data"),
      SNAPSHOT_INTERVAL: "1",
      SNAPSHOTS_KEPT: String(kept),
    });
    const archive = await archiveOf(members());
    const consul = {
      leader: () => Promise.resolve(leader),
      save: (file: string, token: string) => {
        assert.equal(token, TOKEN);
        saved += 1;
        writeFileSync(file, archive);
        return fails === undefined ? Promise.resolve() : Promise.reject(fails);
      },
    };
    const stop = new AbortController();
    const log = createLog("debug", (line) => lines.push(line));
    const ended = keepSnapshots({ config, consul, store: store(), metrics, log }, stop.signal);
    try {
      await check();
    } finally {
      stop.abort();
      await ended;
    }
  }

  const valueOf = async (metric: string) =>
    numberOf(new RegExp(`^${metric.replaceAll(/[{}"]/g, "\\$&")} (\\S+)$`, "m").exec(await metrics.text())?.[1]);

  it("takes one at once and one each interval, and keeps so many", () =>
    running(async () => {
      await eventually(() => assert.ok(saved >= 4));
      await eventually(async () => assert.equal((await store().list()).length, 2));
      assert.equal(await valueOf("lucid_snapshots_leading"), 1);
      assert.ok((await valueOf("lucid_snapshots_newest_age_seconds")) < 5);
      assert.equal(await valueOf('lucid_snapshots_failures_total{step="take"}'), 0);
    }, 2));

  it("takes none while another server leads, and one as soon as this one does", async () => {
    leader = "10.244.1.9:8300";
    await running(async () => {
      await eventually(async () => assert.equal(await valueOf("lucid_snapshots_leading"), 0));
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      assert.equal(saved, 0);
      assert.equal(await valueOf("lucid_snapshots_newest_age_seconds"), Number.POSITIVE_INFINITY);
      leader = SELF;
      await eventually(() => assert.ok(saved > 0));
    });
  });

  it("counts what fails, keeps what there is, and goes on", async () => {
    await running(async () => eventually(async () => assert.equal((await store().list()).length, 1)));
    fails = new ConsulError(403, "Permission denied", "GET /v1/snapshot");
    await running(async () => {
      await eventually(async () => assert.ok((await valueOf('lucid_snapshots_failures_total{step="take"}')) >= 2));
      assert.equal((await store().list()).length, 1);
      fails = undefined;
      await eventually(async () => assert.ok((await store().list()).length > 1));
    });
    assert.match(lines.join(""), /take failed.*403/);
  });

  it("waits for its token, and says so once", async () => {
    writeFileSync(join(folder.path, "token"), "");
    await running(async () => {
      await eventually(async () => assert.ok((await valueOf('lucid_snapshots_failures_total{step="take"}')) >= 2));
      assert.equal(lines.filter((line) => line.includes("waiting for the token")).length, 1);
      writeFileSync(join(folder.path, "token"), TOKEN);
      await eventually(() => assert.ok(saved > 0));
    });
  });

  it("says its token to nobody", async () => {
    fails = new Error("broken");
    await running(async () => eventually(() => assert.ok(saved > 1)));
    assert.ok(!lines.join("").includes(TOKEN));
    assert.ok(!(await metrics.text()).includes(TOKEN));
  });
});
