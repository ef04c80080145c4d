import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import fc from "fast-check";
import { dump } from "js-yaml";
import { binDir } from "../../../../dev/paths";
import { PROTOCOLS } from "../../../../policies/reachability/sets/port-set";
import type { PortSet } from "../../../../policies/reachability/sets/port-set";
import { reachabilityOf } from "./objects";
import { NAMESPACES, randomCluster } from "./random";
import type { RandomCluster } from "./random";

const CASES = 600;

/**
 * What the analyzer (github.com/np-guard/netpol-analyzer) can't judge, or judges otherwise by design: it knows IPv4 alone, ports of `containers`
 * alone, and takes the first port of a name whatever its protocol; a named port towards addresses is an error to it.
 */
const LIMITS = { ipv4Only: true, plainNames: true } as const;

/** A warning of the analyzer. */
const NO_POLICY = "no relevant Kubernetes network policy resources found";

/** A line that the tool prints for each directory. */
interface Analysis {
  readonly directory: string;
  readonly peers: readonly string[];
  readonly connections: readonly {
    readonly source: string;
    readonly destination: string;
    readonly everything: boolean;
    readonly ports: Readonly<Record<string, readonly (readonly [number, number])[]>>;
  }[];
  readonly problems: readonly string[];
}

/** What opens to whom: `<source> -> <destination>` to ports, as text. Addresses stand as ranges with equal ports, merged. */
type Matrix = ReadonlyMap<string, string>;

describe("network reachability: np-guard's netpol-analyzer agrees", function () {
  this.timeout(60_000);

  const seed = Date.now() % 2 ** 31;
  const folder = mkdtempSync(path.join(tmpdir(), "lucid-netpol-"));
  const clusters = fc.sample(randomCluster(LIMITS), { numRuns: CASES, seed });
  let analyses: readonly Analysis[] = [];

  before(() => {
    const directories = clusters.map((cluster, index) => write(path.join(folder, String(index)), cluster));
    const output = execFileSync(toolPath(), directories, { encoding: "utf8", maxBuffer: 2 ** 28 });
    analyses = output
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Analysis);
  });

  after(() => {
    rmSync(folder, { recursive: true });
  });

  it(`on all of ${CASES} random clusters (seed ${seed})`, () => {
    assert.equal(analyses.length, CASES);
    const matrices = clusters.map((cluster, index) => {
      const { peers, connections, problems } = analyses[index] ?? assert.fail();
      const expected = cluster.policies.length === 0 ? [NO_POLICY] : [];
      assert.deepEqual(problems, expected, JSON.stringify(cluster));
      assert.equal(peers.filter((peer) => peer.endsWith("]")).length, cluster.workloads.length);
      const theirs = matrixOf(connections.map((one) => [one.source, one.destination, portsText(one)]));
      assert.deepEqual(new Map([...computed(cluster)].sort()), new Map([...theirs].sort()), JSON.stringify(cluster));
      return theirs;
    });
    // What is compared must be worth it: cells that are open in part, some between workloads, some with addresses.
    const cells = matrices.flatMap((matrix) => [...matrix]);
    const partial = cells.filter(([, ports]) => ports !== "every port");
    assert.ok(partial.filter(([pair]) => /\d+\.\d+/.test(pair)).length > CASES / 2, "too few with addresses");
    assert.ok(partial.filter(([pair]) => !/\d+\.\d+/.test(pair)).length > CASES / 2, "too few between workloads");
  });
});

function toolPath(): string {
  const file = path.join(binDir(), "netpol-analyzer");
  if (existsSync(file)) return file;
  throw new Error(`no netpol-analyzer at ${file}: \`npm run toolchain -- --only netpol-analyzer\` builds it`);
}

/** Writes a cluster as YAML into a directory of its own. */
function write(directory: string, { namespaces, workloads, policies }: RandomCluster): string {
  mkdirSync(directory);
  // The API server sets this label; the analyzer has none.
  const named = namespaces.map((object, index) => {
    const metadata = object.metadata as { labels: Record<string, string> };
    const labels = { ...metadata.labels, "kubernetes.io/metadata.name": NAMESPACES[index] ?? "" };
    return { ...object, metadata: { ...metadata, labels } };
  });
  const text = [...named, ...workloads, ...policies].map((object) => dump(object, { noRefs: true })).join("---\n");
  writeFileSync(path.join(directory, "objects.yaml"), text);
  return directory;
}

/** The matrix of our evaluator, in the analyzer's words: without a workload and itself. */
function computed(cluster: RandomCluster): Matrix {
  const reachability = reachabilityOf([...cluster.namespaces, ...cluster.workloads, ...cluster.policies]);
  const name = ({ namespace, name, kind }: (typeof reachability.workloads)[number]) =>
    `${namespace.name}/${name}[${kind}]`;
  const cells: [string, string, string][] = [];
  for (const { from, to, ports } of reachability.connections()) {
    if (from !== to && !ports.isEmpty) cells.push([name(from), name(to), rangesText(ports)]);
  }
  for (const workload of reachability.workloads) {
    for (const { addresses, ports } of reachability.addresses(workload, "egress"))
      for (const range of addresses.ranges()) cells.push([name(workload), range.join("-"), rangesText(ports)]);
    for (const { addresses, ports } of reachability.addresses(workload, "ingress"))
      for (const range of addresses.ranges()) cells.push([range.join("-"), name(workload), rangesText(ports)]);
  }
  return matrixOf(cells.filter((cell) => !cell.join().includes(":")));
}

/** Cells by pair; neighbouring ranges of addresses with the same ports and the same partner become one. */
function matrixOf(cells: readonly (readonly [source: string, destination: string, ports: string])[]): Matrix {
  const matrix = new Map<string, string>();
  const ranges = new Map<string, [number, number][]>();
  for (const [source, destination, ports] of cells) {
    const range = rangeOf(source) ?? rangeOf(destination);
    if (range === undefined) {
      matrix.set(`${source} -> ${destination}`, ports);
      continue;
    }
    const key = JSON.stringify(rangeOf(source) === undefined ? [source, "#", ports] : ["#", destination, ports]);
    ranges.set(key, [...(ranges.get(key) ?? []), range]);
  }
  for (const [key, list] of ranges) {
    const [source = "", destination = "", ports = ""] = JSON.parse(key) as string[];
    const merged: [number, number][] = [];
    for (const [first, last] of list.sort(([a], [b]) => a - b)) {
      const previous = merged.at(-1);
      if (previous !== undefined && previous[1] + 1 >= first) previous[1] = Math.max(previous[1], last);
      else merged.push([first, last]);
    }
    for (const [first, last] of merged)
      matrix.set(`${source} -> ${destination}`.replace("#", `${dotted(first)}-${dotted(last)}`), ports);
  }
  return matrix;
}

function rangeOf(peer: string): [number, number] | undefined {
  if (!/^[\d.]+-[\d.]+$/.test(peer)) return undefined;
  const [first = 0, last = 0] = peer
    .split("-")
    .map((address) => address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0));
  return [first, last];
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

function portsText({ everything, ports }: Analysis["connections"][number]): string {
  if (everything) return "every port";
  return PROTOCOLS.flatMap((protocol) =>
    (ports[protocol] ?? []).map(([first, last]) => `${protocol} ${first}-${last}`),
  ).join(", ");
}

function rangesText(ports: PortSet): string {
  if (ports.toString() === "every port") return "every port";
  return PROTOCOLS.flatMap((protocol) =>
    ports.ranges(protocol).map(([first, last]) => `${protocol} ${first}-${last}`),
  ).join(", ");
}
