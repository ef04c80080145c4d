import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { load } from "js-yaml";
import { checkoutDir } from "../../dev/paths";
import { resolveMesh, serviceNamed, SIDECAR_PORTS, validateDocument } from "../../mesh";
import type { Service } from "../../mesh";
import { LUCID_CEILING } from "../../policies/ceiling";
import type { OutsideCertificate, OutsideSeen } from "../integration/envoy/outside-servers";
import { Authority } from "../integration/envoy/pki";
import { membersWith, policyConfig } from "../integration/support/ceiling";
import { core, exec, podGenerations, podOf, podsOf } from "../integration/support/cluster";
import { passingInstances } from "../integration/support/discovery";
import { service } from "../integration/support/document";
import { eventually, SYNC_SECONDS } from "../integration/support/eventually";
import { OUTSIDE_ADDRESS, OutsideMachine } from "../integration/support/outside-machine";
import { connects, testerIn } from "../integration/support/tester";
import { deploy, deployDeclared, written } from "../integration/support/stacks/variation";
import type { WrittenDocument } from "../integration/support/stacks/variation";

const API = "outside-api";
const DATABASE = "outside-db";
const API_PORT = 8443;
const DATABASE_PORT = 5432;
/** A port of the same machine that nobody declared: the registry's. */
const OTHER_PORT = 443;
const NAMES = { [API]: "api.example.org", [DATABASE]: "db.example.org" } as const;

const admin = service("admin-ui");
const stranger = service("lucid-blocks");

/** Lets two services be outside, and one of Lucid's call them. */
function withOutside(authorities: string) {
  return (document: WrittenDocument): void => {
    document.zones.edge?.members.push(API, DATABASE);
    const tls = (name: string) => ({ names: [name], authorities });
    document.services.push(
      {
        name: API,
        plane: "edge",
        ports: [{ name: "http", port: API_PORT }],
        external: { addresses: [OUTSIDE_ADDRESS], tls: tls("api.example.org"), health: { path: "/healthz" } },
      },
      {
        name: DATABASE,
        plane: "edge",
        ports: [{ name: "sql", port: DATABASE_PORT, protocol: "tcp", dialPort: DATABASE_PORT }],
        external: {
          addresses: [OUTSIDE_ADDRESS],
          tls: { ...tls("db.example.org"), presentCertificate: true, alpn: ["postgresql"] },
        },
      },
    );
    const reason = "Tried from outside the cluster";
    const caller = written(document, admin.name);
    caller.calls = [
      ...(caller.calls ?? []),
      { service: API, methods: ["GET"], paths: ["/rates/*"], reason },
      { service: DATABASE, reason },
    ];
  };
}

const outside = (name: string, port: number) => ({
  addresses: [OUTSIDE_ADDRESS],
  ports: [`${port}/TCP`],
  names: [name],
  reason: "the test's own machine",
  leave: {},
});
const RAISED = {
  members: membersWith("edge", [API, DATABASE]),
  outside: {
    [`edge/${API}`]: outside("api.example.org", API_PORT),
    [`edge/${DATABASE}`]: outside("db.example.org", DATABASE_PORT),
  },
  edges: [
    ...LUCID_CEILING.edges,
    ...[API, DATABASE].map((name) => ({
      from: "ops/admin-ui",
      to: `edge/${name}`,
      ports: ["15001/TCP"],
      reason: "Tried from outside the cluster",
    })),
  ],
};

/** The same mesh with a database on a machine outside of it. */
describe("a service outside the cluster", function () {
  this.timeout(900_000);
  let machine: OutsideMachine;
  let authority: Authority;
  let api: Service;
  let database: Service;
  let generations: Record<string, number>;

  const certified = (name: string, by = authority): Promise<OutsideCertificate> =>
    by.issue(name, "https://example.org/", { dnsNames: [name] });
  const serve = async (name: typeof API | typeof DATABASE, tls?: OutsideCertificate): Promise<void> => {
    const port = name === API ? API_PORT : DATABASE_PORT;
    await machine.call("stopOutside", { port });
    await machine.call("serveOutside", {
      port,
      speaks: name === API ? "http" : "bytes",
      tls: tls ?? (await certified(NAMES[name])),
    });
  };
  const curl = async (from: Service, url: string) => exec(await podOf(from), "app", ["fortio", "curl", url]);
  const query = async (from: Service): Promise<string> => {
    const tester = await testerIn(from);
    const command = `(echo 'select 1'; sleep 2) | nc -w 3 ${database.hostname} ${String(DATABASE_PORT)}`;
    return (await exec(tester, tester.container, ["sh", "-c", command])).stdout;
  };
  const seen = (text: string): OutsideSeen => JSON.parse(text.slice(text.indexOf("{"))) as OutsideSeen;
  const isReady = async (way: Service): Promise<boolean> => (await podsOf(way)).length > 0;

  before(async () => {
    machine = await OutsideMachine.start();
    authority = await Authority.create("outside");
    await serve(API);
    await serve(DATABASE);
    const document = load(readFileSync(path.join(checkoutDir, "mesh.yaml"), "utf8")) as WrittenDocument;
    const change = withOutside(authority.rootPem);
    change(document);
    const mesh = resolveMesh(validateDocument(document), { tracing: true });
    [api, database] = [serviceNamed(mesh, API), serviceNamed(mesh, DATABASE)];
    generations = await podGenerations([stranger]);
    await deploy({ document: change, policyConfig: policyConfig(RAISED) });
    for (const way of [api, database]) {
      await eventually(`${way.name} is well`, async () => assert.ok(await isReady(way)), SYNC_SECONDS);
    }
  });

  after(async () => {
    machine.stop();
    await deployDeclared();
  });

  it("has a way out that is registered by its pods, as any service", async () => {
    for (const way of [api, database]) {
      await eventually(`${way.name} is registered`, async () => {
        const instances = await passingInstances(way.name, way.zone);
        assert.deepEqual(
          instances.map(({ Address }) => Address),
          (await podsOf(way)).map(({ ip }) => ip),
        );
      });
    }
  });

  it("is called by requests, and sees its way out and nothing of the mesh behind it", async () => {
    await eventually(
      "the call",
      async () => {
        const { code, stdout, stderr } = await curl(admin, `http://${api.hostname}/rates/eur`);
        assert.equal(code, 0, stderr);
        const { from, host, headers = {}, tls } = seen(stdout);
        assert.deepEqual([from, host, tls?.serverName], [(await podOf(api)).ip, "api.example.org", "api.example.org"]);
        assert.deepEqual(
          Object.keys(headers).filter((name) => /^x-(forwarded|lucid|envoy|request-id)/.test(name)),
          [],
        );
      },
      SYNC_SECONDS,
    );
  });

  it("is called by bytes, and is shown the certificate of its way out", async () => {
    await eventually(
      "the call",
      async () => {
        const { from, tls } = seen(await query(admin));
        assert.equal(from, (await podOf(database)).ip);
        assert.deepEqual([tls?.alpn, tls?.callerNames], ["postgresql", `URI:${database.identity}`]);
      },
      SYNC_SECONDS,
    );
  });

  it("is asked what the call may ask, and nothing else", async () => {
    const { code, stdout, stderr } = await curl(admin, `http://${api.hostname}/admin`);
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, /403/);
  });

  it("has no name for who doesn't declare it, and its way out's pods are closed to it", async () => {
    for (const way of [api, database]) {
      const { code, stderr } = await curl(stranger, `http://${way.hostname}/rates/eur`);
      assert.notEqual(code, 0);
      assert.match(stderr, /no such host|NXDOMAIN|server misbehaving/i);
      assert.equal(await connects(await testerIn(stranger), (await podOf(way)).ip, SIDECAR_PORTS.inbound), false);
    }
  });

  it("is reached at its address by no pod but its way out's, and by that at its port alone", async () => {
    for (const from of [admin, stranger]) {
      const tester = await testerIn(from);
      for (const port of [API_PORT, DATABASE_PORT, OTHER_PORT]) {
        assert.equal(await connects(tester, OUTSIDE_ADDRESS, port), false, `${from.name} to ${String(port)}`);
      }
    }
    const tester = await testerIn(api);
    assert.equal(await connects(tester, OUTSIDE_ADDRESS, API_PORT), true);
    for (const port of [DATABASE_PORT, OTHER_PORT]) assert.equal(await connects(tester, OUTSIDE_ADDRESS, port), false);
    assert.equal(await connects(tester, "10.77.0.10", 6443), false, "another address");
  });

  for (const [what, certificate] of [
    ["another name", () => certified("db.example.org")],
    ["another authority", async () => certified("api.example.org", await Authority.create("impostor"))],
  ] as const) {
    it(`is sent nothing with a certificate of ${what}: its way out is no longer resolved, until it is right again`, async () => {
      await serve(API, await certificate());
      await eventually(
        "it is refused",
        async () => {
          const { code, stdout, stderr } = await curl(admin, `http://${api.hostname}/rates/eur`);
          assert.notEqual(code, 0);
          assert.match(stdout + stderr, /50[34]|connection refused|no healthy/i);
        },
        SYNC_SECONDS,
      );
      await eventually(
        "it isn't resolved",
        async () => assert.deepEqual(await passingInstances(API, "edge"), []),
        SYNC_SECONDS,
      );
      await serve(API);
      await eventually(
        "it is resolved",
        async () => assert.equal((await passingInstances(API, "edge")).length, 1),
        SYNC_SECONDS,
      );
      await eventually(
        "it answers",
        async () => assert.equal((await curl(admin, `http://${api.hostname}/rates/eur`)).code, 0),
        SYNC_SECONDS,
      );
    });
  }

  it("rolled nobody's pods", async () => {
    assert.deepEqual(await podGenerations([stranger]), generations);
  });

  it("has a pod whose application does nothing, and ends at once when it is to", async () => {
    const pod = await podOf(database);
    const began = Date.now();
    await core.deleteNamespacedPod(pod);
    await eventually("its end", async () => {
      await assert.rejects(core.readNamespacedPod(pod), /404/);
    });
    const seconds = (Date.now() - began) / 1000;
    console.log(`      the way out's pod ended after ${seconds.toFixed(0)} s`);
    await eventually("its successor", async () => assert.ok(await isReady(database)), SYNC_SECONDS);
  });
});
