import assert from "node:assert/strict";
import type { Service } from "../../../mesh";
import { Reachability, matches, representatives } from "../../../policies/reachability/envoy";
import type { Entry, Request } from "../../../policies/reachability/envoy";
import { exec, podOf } from "../support/cluster";
import type { PodRef } from "../support/cluster";
import { computedSidecars, sidecarOf } from "../support/computed-sidecars";
import { mesh } from "../support/document";
import { SYNC_SECONDS, eventually } from "../support/eventually";
import { credentialsOf, describeAnswer, request } from "../support/handshake";
import type { Answer, Credentials } from "../support/handshake";
import { openTrust, restoreSidecar } from "../support/opened-sidecar";
import { connects, testerIn } from "../support/tester";
import type { Tester } from "../support/tester";

/** A method that no rule of the document names, for requests that stand for all others. */
const OTHER_METHOD = "PATCH";

interface Pair {
  readonly from: Service;
  readonly to: Service;
}

const othersThan = (service: Service) => mesh.services.filter((other) => other !== service);
const pairs: readonly Pair[] = mesh.services.flatMap((from) => othersThan(from).map((to) => ({ from, to })));
const describePair = ({ from, to }: Pair) => `${from.name} -> ${to.name}`;

describe("each layer of the sidecars, cell by cell, is what the evaluator computes from the cluster's objects", function () {
  this.timeout(SYNC_SECONDS * 3000);
  const pods = new Map<Service, PodRef>();
  const credentials = new Map<Service, Credentials>();
  const testers = new Map<Service, Tester>();
  let computed: Reachability;

  before(async () => {
    for (const service of mesh.services) {
      pods.set(service, await podOf(service));
      credentials.set(service, await credentialsOf(service));
      testers.set(service, await testerIn(service));
    }
    computed = await computedSidecars();
  });

  const entriesOf = (to: Service): readonly Entry[] => computed.sidecarOf(sidecarOf(to))?.entries ?? [];

  const enter = async ({ from, to }: Pair, entry: Entry, { method, path }: Partial<Request> = {}): Promise<Answer> => {
    const pod = pods.get(to);
    const shown = credentials.get(from);
    assert.ok(pod && shown);
    return request({
      pod,
      port: entry.listens,
      serverName: entry.serverName,
      protocol: entry.alpn.includes("http/1.1") ? "http" : "http2",
      credentials: shown,
      method,
      path,
    });
  };

  /** Whose certificate gets into which filter chain of a callee: each caller's into each. */
  const assertTrust = async (to: Service, seconds: number) => {
    const enterAll = async (from: Service) => {
      const admissions = computed.admissions(sidecarOf(from), sidecarOf(to));
      for (const entry of entriesOf(to)) {
        const expected = admissions.some((admission) => admission.entry === entry);
        const what = `${from.name}'s certificate at ${entry.serverName}`;
        await eventually(
          what,
          async () => {
            const answer = await enter({ from, to }, entry);
            assert.equal("status" in answer, expected, describeAnswer(answer));
          },
          seconds,
        );
      }
    };
    await Promise.all(othersThan(to).map(enterAll));
  };

  describe("trust: whose certificate gets into which filter chain", () => {
    for (const to of mesh.services) it(`of ${to.name}`, () => assertTrust(to, 0));
  });

  describe("names: what is answered to whom", () => {
    for (const from of mesh.services) {
      it(`${from.name}, of every other service`, async () => {
        const expected = computed.names(sidecarOf(from));
        for (const { hostname } of othersThan(from)) {
          const addresses = expected.filter(({ name }) => name === hostname).flatMap((name) => name.addresses);
          assert.deepEqual(await lookUp(testerOf(testers, from), hostname), addresses, hostname);
        }
      });
    }
  });

  describe("ways: where something listens for whose application", () => {
    for (const pair of pairs) {
      it(describePair(pair), async () => {
        const dials = computed.ways(sidecarOf(pair.from), sidecarOf(pair.to)).flatMap((way) => way.dials);
        for (const { dialPort } of pair.to.ports) {
          const expected = dials.some(({ address, port }) => address === pair.to.address && port === dialPort);
          const connected = await connects(testerOf(testers, pair.from), pair.to.address, dialPort);
          assert.equal(connected, expected, `${pair.to.address}:${dialPort}`);
        }
      });
    }
  });

  describe("authorization, with trust opened: who may ask what", () => {
    const callees = mesh.services;
    before(() => Promise.all(callees.map(openTrust)));
    after(() => Promise.all(callees.map(restoreSidecar)));

    for (const to of callees) {
      it(`everybody, of ${to.name}`, async () => {
        for (const entry of entriesOf(to)) {
          await Promise.all(othersThan(to).map((from) => assertAuthorized({ from, to }, entry)));
        }
      });
    }

    const assertAuthorized = async (pair: Pair, entry: Entry) => {
      const grants = entry.grants.filter(({ party }) => party === sidecarOf(pair.from));
      for (const asked of representatives(entry.grants.flatMap(({ rules }) => rules)).map(sendable)) {
        const isGranted = grants.some(({ rules }) => rules.some((rule) => matches(rule, asked)));
        const what = `${describePair(pair)} ${asked.method} ${asked.path ?? ""} by ${entry.serverName}`;
        await eventually(
          what,
          async () => {
            const answer = await enter(pair, entry, asked);
            assert.ok("status" in answer, describeAnswer(answer));
            assert.equal(answer.status !== 403, isGranted, describeAnswer(answer));
          },
          SYNC_SECONDS,
        );
      }
    };
  });

  describe("trust, put back", () => {
    for (const to of mesh.services) it(`of ${to.name}`, () => assertTrust(to, SYNC_SECONDS));
  });
});

function testerOf(testers: ReadonlyMap<Service, Tester>, of: Service): Tester {
  const tester = testers.get(of);
  assert.ok(tester);
  return tester;
}

/** What the pod's own resolver, its sidecar, says of a name: addresses, or nothing where it has none. */
async function lookUp(from: Tester, name: string): Promise<string[]> {
  const { stdout } = await exec(from, from.container, ["nslookup", "-type=a", name, "127.0.0.1"]);
  const [, answer = ""] = stdout.split(/\n\s*\n/);
  return [...answer.matchAll(/^Address(?: \d+)?: *([\d.]+)/gm)].flatMap(([, address]) => address ?? []);
}

/** A request that stands for others, as it can be sent. */
function sendable({ method, path }: Request): Request {
  return { method: /^[A-Z]+$/.test(method) ? method : OTHER_METHOD, path: path === undefined ? path : encodeURI(path) };
}
