import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { cgroupMounts, Cgroups } from "../../../dev/cluster/cgroups";

const mountinfo = `27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
37 31 0:34 / /sys/fs/cgroup/systemd rw,relatime shared:9 - cgroup cgroup rw,name=systemd
38 31 0:35 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
39 31 0:36 / /cgroup rw,relatime - tmpfs cgroup rw
`;

describe("cgroups", () => {
  let directory: string;
  let cgroups: Cgroups;

  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), "cgroups-"));
    for (const hierarchy of ["memory", "cpuset"]) {
      fs.mkdirSync(path.join(directory, hierarchy));
    }
    cgroups = new Cgroups([path.join(directory, "memory"), path.join(directory, "cpuset")], "ours");
  });

  afterEach(() => {
    fs.rmSync(directory, { recursive: true });
  });

  function fill(...names: readonly string[]): void {
    const [pids = "", ...parts] = names.toReversed();
    fs.writeFileSync(path.join(directory, ...parts.toReversed(), "cgroup.procs"), pids);
  }

  it("finds the hierarchies of both versions by their type", () => {
    assert.deepEqual(cgroupMounts(mountinfo), [
      "/sys/fs/cgroup/cpu",
      "/sys/fs/cgroup/systemd",
      "/sys/fs/cgroup/unified",
    ]);
  });

  it("says what to do where there are none", () => {
    assert.throws(() => Cgroups.ofThisMachine("ours", "27 1 254:0 / / rw - ext4 /dev/vda rw"), /mount cgroups/);
  });

  it("makes a group in every hierarchy, with the processors of its parent", () => {
    fs.mkdirSync(path.join(directory, "cpuset", "ours"));
    fs.writeFileSync(path.join(directory, "cpuset", "cpuset.cpus"), "0-1\n");
    fs.writeFileSync(path.join(directory, "cpuset", "cpuset.mems"), "0\n");
    fs.writeFileSync(path.join(directory, "cpuset", "cpuset.sched_load_balance"), "1\n");
    fs.writeFileSync(path.join(directory, "cpuset", "ours", "cpuset.cpus"), "\n");
    fs.writeFileSync(path.join(directory, "cpuset", "ours", "cpuset.mems"), "\n");
    assert.deepEqual(cgroups.ensure("node1", "etcd"), [
      path.join(directory, "memory/ours/node1/etcd"),
      path.join(directory, "cpuset/ours/node1/etcd"),
    ]);
    assert.equal(fs.readFileSync(path.join(directory, "cpuset/ours/cpuset.cpus"), "utf8"), "0-1");
  });

  it("lists processes of a group alone or with those below, from all hierarchies, each once", () => {
    cgroups.ensure("node1", "pods", "a");
    fill("memory", "ours", "node1", "12\n");
    fill("cpuset", "ours", "node1", "12\n9\n");
    fill("memory", "ours", "node1", "pods", "a", "100\n");
    assert.deepEqual(cgroups.processes(["node1"], false), [9, 12]);
    assert.deepEqual(cgroups.processes(["node1"], true), [9, 12, 100]);
    assert.deepEqual(cgroups.processes([], true), [9, 12, 100]);
    assert.deepEqual(cgroups.processes(["node2"], true), []);
  });

  it("never looks outside its own group", () => {
    fs.mkdirSync(path.join(directory, "memory", "others"));
    fill("memory", "others", "1\n");
    fill("memory", "1\n");
    assert.deepEqual(cgroups.processes([], true), []);
  });

  it("removes a group and those below", async () => {
    cgroups.ensure("node1", "pods", "a");
    cgroups.ensure("node2");
    assert.deepEqual(await cgroups.destroy("node1"), []);
    assert.deepEqual(cgroups.children(), ["node2"]);
    await cgroups.destroy();
    assert.equal(fs.existsSync(path.join(directory, "memory", "ours")), false);
  });

  it("reads the memory of a subtree without the page cache", () => {
    cgroups.ensure("node1");
    const file = path.join(directory, "memory/ours/node1/memory.stat");
    fs.writeFileSync(file, "cache 5\nrss 1\ntotal_cache 7\ntotal_rss 4096\n");
    assert.equal(cgroups.memory("node1"), 4096);
    assert.equal(cgroups.memory("node2"), undefined);
  });
});
