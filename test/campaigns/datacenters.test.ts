/** Two embedded clusters on this machine as two datacenters: calls from one to the other, failover there and back, and what is refused on the way. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { clusterTools } from "../../dev/cluster/context";
import { switchMachine } from "../../dev/cluster/layout";
import { clusterName } from "../../dev/paths";
import { SIDECAR_PORTS, ZONES, namespaceOf, trustDomainOf } from "../../mesh";
import type { Service } from "../../mesh";
import { isIssued } from "../../mesh/issuing";
import { crossingServerName } from "../../mesh/wire";
import { certificateAt, connectionsMadeAnew } from "../integration/support/certificates";
import { core, exec, podOf, podsOf } from "../integration/support/cluster";
import { Datacenters, endDatacenters } from "../integration/support/stacks/datacenters";
import { NETWORKS } from "../integration/support/stacks/datacenters-document";
import type { Datacenter } from "../integration/support/stacks/datacenters-document";
import { SYNC_SECONDS, eventually } from "../integration/support/eventually";
import { credentialsOf, describeAnswer, request } from "../integration/support/handshake";
import type { Attempt, Credentials } from "../integration/support/handshake";
import { issuedCertificate } from "../integration/support/issuers";
import { assertShutOut, knockAnew, knockOnOneConnection, untilLetIn } from "../integration/support/knocking";
import { startLoads } from "../integration/support/load";
import { scaleTo } from "../integration/support/nodes";
import { pulumi } from "../integration/support/pulumi";
import { connects, testerIn } from "../integration/support/tester";
import { deployDeclared } from "../integration/support/stacks/variation";
import type { Run } from "../run-pulumi";

const MINUTE = 60_000;
/** From the end of an update until each sidecar has what it changed. */
const DISTRIBUTION_SECONDS = 150;
const RATE = 40;
/** An instance is left out for a minute at most, and looked up every few seconds. */
const RETURN_SECONDS = 120;
/** What is open is cut off by then: files come to the sidecars by a touch of their pods, and a drain takes 30 s. */
const WITHDRAWAL_SECONDS = 60;
const GATEWAY = "datacenter-gateway";

function assertDone({ status, output }: Run): void {
  assert.equal(status, 0, output);
  assert.doesNotMatch(output, /\[mandatory\]|can't run policy/);
}

describe("two clusters, as two datacenters", function () {
  this.timeout(30 * MINUTE);
  let running: Datacenters | undefined;
  const both = (): Datacenters => running ?? assert.fail("the datacenters did not start");
  const service = (datacenter: Datacenter, name: string): Service => both().service(datacenter, name);
  const at = (datacenter: Datacenter) => both().clusters[datacenter];

  before(async () => {
    assert.equal(clusterName(), undefined, "run it without LUCID_MESH_CLUSTER: it starts the other cluster itself");
    // What a run that was ended left behind.
    await endDatacenters();
    const { status, output } = await pulumi("destroy", "--yes", "--non-interactive");
    assert.equal(status, 0, output);
    await eventually(
      "the end of the usual mesh",
      async () => {
        const names = (await core.listNamespace()).items.map(({ metadata }) => metadata?.name ?? "");
        assert.deepEqual(
          names.filter((name) => ZONES.some((zone) => name === namespaceOf(zone))),
          [],
        );
      },
      120,
    );
    running = await Datacenters.start();
  });
  after(async () => {
    try {
      await endDatacenters();
    } finally {
      await deployDeclared();
    }
  });

  /** What a pod's application sees of a name. */
  const curl = async (from: Service, url: string) =>
    exec(await podOf(from), "app", ["fortio", "curl", "-loglevel", "info", url]);
  const ask = async (url: string): Promise<string> => {
    const { code, stdout, stderr } = await curl(service("north", "admin-ui"), url);
    assert.equal(code, 0, `exit ${String(code)}: ${stderr}`);
    return stdout;
  };
  /** fortio tells by `/debug` on which host, so in which pod, it is. */
  const answeredBy = async (name: string): Promise<Datacenter> => {
    const answer = await ask(`http://${name}.lucid.internal/debug`);
    for (const datacenter of ["north", "south"] as const) {
      const found = both().meshes[datacenter].services.find((each) => each.name === name);
      const pods = found === undefined ? [] : await podsOf(found, at(datacenter));
      if (pods.some((pod) => answer.includes(`on ${pod.name} `))) return datacenter;
    }
    return assert.fail(`nobody's pod answered: ${answer}`);
  };

  describe("one after the other", () => {
    it("is refused by the policy pack where the ceiling lists no link", async () => {
      const { status, output } = await both().preview("north", { links: {} });
      assert.notEqual(status, 0, output);
      assert.match(output, /it links this datacenter to south, which the ceiling does not allow/);
    });

    it("is deployed first without whom it does not know, and calls across are refused", async () => {
      const north = await both().up("north");
      assertDone(north);
      assert.match(north.output, /datacenter south is not deployed/);
      const south = await both().up("south");
      assertDone(south);
      assert.doesNotMatch(south.output, /is not deployed/);
      // South knows north's roots, and north not yet south's.
      const { code, stdout, stderr } = await curl(service("north", "admin-ui"), "http://ledger.lucid.internal/debug");
      assert.ok(code !== 0 || /503/.test(stdout + stderr), stdout);
    });

    it("is deployed again with the other's roots, both from one document", async () => {
      assertDone(await both().up("north"));
      const again = await both().up("south");
      assertDone(again);
      assert.doesNotMatch(again.output, /was deployed from another document|is not deployed/);
    });
  });

  describe("a call that the other datacenter alone answers", () => {
    it("arrives, as its caller, by the name that it has everywhere", async () => {
      const answer = await eventually(
        "the call",
        () => ask("http://ledger.lucid.internal/debug"),
        DISTRIBUTION_SECONDS,
      );
      const { identity } = service("north", "admin-ui");
      assert.equal(identity, `spiffe://${trustDomainOf("ops", "north")}/ns/lucid-ops/sa/admin-ui`);
      assert.match(answer, new RegExp(`X-Forwarded-Client-Cert: .*URI=${identity}`, "i"));
      assert.equal(await answeredBy("ledger"), "south");
    });

    it("may ask what is declared, and nothing else", async () => {
      const { stdout, stderr } = await curl(service("north", "admin-ui"), "http://ledger.lucid.internal/other");
      assert.match(stdout + stderr, /403/);
    });

    it("is recorded by its callee there, with the caller's identity", async () => {
      const { identity } = service("north", "admin-ui");
      await eventually("the record", async () => {
        await ask("http://ledger.lucid.internal/debug");
        const { name, namespace } = await podOf(service("south", "ledger"), at("south"));
        const log = await at("south").core.readNamespacedPodLog({
          name,
          namespace,
          container: "sidecar",
          tailLines: 200,
        });
        assert.ok(log.includes(identity), log);
      });
    });
  });

  describe("a call that both answer", () => {
    const scale = (replicas: number) => scaleTo(service("north", "lucid-blocks"), replicas);

    it("stays where it is, goes there when nobody is left here, and returns, without a failed request", async () => {
      const url = "http://lucid-blocks.lucid.internal/debug";
      const from = service("north", "admin-ui");
      await eventually("it stays", async () => assert.equal(await answeredBy("lucid-blocks"), "north"));
      const loads = await startLoads(
        { from, url, rate: RATE, connections: 4 },
        { from, url, rate: RATE / 4, connections: 2, fresh: true },
      );
      try {
        await scale(0);
        await eventually(
          "it goes there",
          async () => assert.equal(await answeredBy("lucid-blocks"), "south"),
          RETURN_SECONDS,
        );
        // A while over there, in which the one that was left out is tried again.
        await new Promise((resolve) => setTimeout(resolve, 30_000));
        assert.equal(await answeredBy("lucid-blocks"), "south");
        await scale(1);
        await eventually(
          "it returns",
          async () => assert.equal(await answeredBy("lucid-blocks"), "north"),
          2 * RETURN_SECONDS,
        );
      } finally {
        await scale(1);
        await loads.assertUnharmed();
      }
    });
  });

  describe("whoever has no leave", () => {
    const sni = (callee: string) => crossingServerName("http", callee, "south", "ops.north");

    it("has no name for a service there that isn't exported, nor for one that it may not call", async () => {
      for (const [from, name] of [
        ["admin-ui", "vault"],
        ["bystander", "ledger"],
      ] as const) {
        const { code, stderr } = await curl(service("north", from), `http://${name}.lucid.internal/`);
        assert.notEqual(code, 0, `${from} to ${name}`);
        assert.match(stderr, /no such host|NXDOMAIN|server misbehaving/i);
      }
    });

    it("reaches no gateway: neither that of its datacenter, whose calls stay, nor that of the other, whoever it is", async () => {
      const gateway = await podOf(service("north", GATEWAY));
      const { address, port } = both().gateway("south");
      const caller = await testerIn(service("north", "admin-ui"));
      const bystander = await testerIn(service("north", "bystander"));
      assert.equal(await connects(caller, gateway.ip, 15443), true, "whose calls leave does: what follows is refused");
      assert.equal(await connects(bystander, gateway.ip, 15443), false);
      assert.equal(await connects(caller, address, port), false);
      assert.equal(await connects(bystander, address, port), false);
      assert.equal(await connects(caller, gateway.ip, 15001), false);
    });

    it("reaches the gateway from no address but the other's", async () => {
      const { address, port } = both().gateway("south");
      const { machines } = clusterTools();
      const knock = (at: number) =>
        machines.shell(
          switchMachine,
          `timeout 3 bash -c 'exec 3<>/dev/tcp/${address}/${String(at)}' 2>/dev/null && echo open || echo closed`,
        );
      // The switch comes by the same way as the other gateway, with an address that is no pod's.
      assert.match(await knock(NETWORKS.south.apiPort), /open/, "what follows is refused");
      assert.match(await knock(port), /closed/);
    });

    it("finds no link in the direction that nobody declared", async () => {
      const services = (await at("north").core.listNamespacedService({ namespace: namespaceOf("edge") })).items;
      assert.deepEqual(
        services.flatMap(({ spec }) => spec?.ports?.flatMap(({ nodePort }) => nodePort ?? []) ?? []),
        [],
      );
      assert.equal(both().meshes.south.datacenters?.departures.length, 0);
      const { code } = await exec(await podOf(service("south", "ledger"), at("south")), "app", [
        "fortio",
        "curl",
        "http://admin-ui.lucid.internal/",
      ]);
      assert.notEqual(code, 0);
    });

    describe("past the network", () => {
      let ledger: Omit<Attempt, "credentials">;
      let own: Credentials;
      before(async () => {
        const pod = await podOf(service("south", "ledger"), at("south"));
        ledger = { pod, serverName: sni("ledger"), protocol: "http2", path: "/debug" };
        own = await credentialsOf(service("north", "admin-ui"), at("north"));
      });
      const status = async (attempt: Attempt): Promise<number | "refused"> => {
        const answer = await request(attempt);
        console.log(`      ${describeAnswer(answer)}`);
        return "refused" in answer ? "refused" : answer.status;
      };

      it("is answered with the caller's own certificate and token: what follows differs in one thing each", async () => {
        assert.equal(await status({ ...ledger, credentials: own }), 200);
      });

      it("is refused with another service's certificate of that datacenter, or of the callee's own", async () => {
        const others: readonly (readonly [Datacenter, string])[] = [
          ["north", "bystander"],
          ["north", GATEWAY],
          ["north", "lucid-blocks"],
          ["south", "vault"],
          ["south", GATEWAY],
        ];
        for (const [datacenter, name] of others) {
          const credentials = await credentialsOf(service(datacenter, name), at(datacenter));
          assert.equal(await status({ ...ledger, credentials }), "refused", `${name} of ${datacenter}`);
        }
      });

      it("is refused with no token, another service's, or one of the callee's own cluster", async () => {
        const { cert, key } = own;
        assert.equal(await status({ ...ledger, credentials: { cert, key } }), 401);
        const bystander = await credentialsOf(service("north", "bystander"), at("north"));
        assert.equal(await status({ ...ledger, credentials: { ...own, token: bystander.token } }), 403);
        const there = await credentialsOf(service("south", "vault"), at("south"));
        assert.equal(await status({ ...ledger, credentials: { ...own, token: there.token } }), 401);
      });

      it("is refused by a service that isn't exported, with the right certificate and token", async () => {
        const pod = await podOf(service("south", "vault"), at("south"));
        const attempt = { ...ledger, pod, credentials: own };
        for (const serverName of [sni("vault"), "http.vault.ops"])
          assert.equal(await status({ ...attempt, serverName }), "refused", serverName);
      });

      it("is passed on by no gateway for a service that isn't exported, nor for a zone whose calls stay", async () => {
        const pod = await podOf(service("north", GATEWAY));
        const departure = { ...ledger, pod, port: 15443, credentials: own };
        assert.equal(await status(departure), 200, "a declared call is");
        for (const serverName of [
          sni("vault"),
          crossingServerName("http", "ledger", "south", "wallet.north"),
          crossingServerName("http", "ledger", "north", "ops.north"),
          "http.ledger.ops",
        ])
          assert.equal(await status({ ...departure, serverName }), "refused", serverName);
      });

      it("enters by the link as nobody but the other gateway, and is then asked whom it means", async () => {
        const pod = await podOf(service("south", GATEWAY), at("south"));
        const serverName = crossingServerName("link", GATEWAY, "south", "edge.north");
        const link = { pod, serverName, protocol: "http2" as const };
        const gateway = await credentialsOf(service("north", GATEWAY), at("north"));
        assert.equal(await status({ ...link, credentials: own }), "refused");
        assert.equal(await status({ ...link, credentials: { cert: gateway.cert, key: gateway.key } }), 401);
        assert.equal(await status({ ...link, credentials: gateway }), 404);
      });
    });
  });

  describe("a certificate that one datacenter revokes", () => {
    it("is refused by the other once that was deployed, too, on new connections and open ones, and its service has another", async () => {
      const caller = service("north", "admin-ui");
      const credentials = await credentialsOf(caller, at("north"));
      const stolen: Attempt = {
        pod: await podOf(service("south", "ledger"), at("south")),
        serverName: crossingServerName("http", "ledger", "south", "ops.north"),
        protocol: "http",
        path: "/debug",
        credentials,
      };
      const anew = knockAnew(stolen);
      const kept = await knockOnOneConnection(stolen);
      try {
        await untilLetIn("a copy of its key lets in before", 3, anew, kept);
        const { serialNumber: serial } = new X509Certificate(credentials.cert);
        const date = new Date().toISOString().slice(0, 10);
        const revokedCertificates = JSON.stringify([{ zone: "ops", service: caller.name, serial, date }]);
        assertDone(await both().up("north", { revokedCertificates }));
        await untilLetIn("it lets in where nobody was told yet", 0, anew, kept);
        assertDone(await both().up("south"));
        const told = Date.now();
        for (const { lastAnsweredAt = Number.NaN } of await assertShutOut(told + WITHDRAWAL_SECONDS * 1000, anew, kept))
          console.log(`      let in last ${((lastAnsweredAt - told) / 1000).toFixed(1)} s after the other's pulumi up`);
      } finally {
        await Promise.all([anew.stop(), kept.stop()]);
      }
      // It is the certificate that is refused, and no token that has become too old.
      const answer = await request({
        ...stolen,
        credentials: { ...credentials, token: (await credentialsOf(caller, at("north"))).token },
      });
      assert.deepEqual(Object.keys(answer), ["refused"], describeAnswer(answer));
      await eventually("a call", () => ask("http://ledger.lucid.internal/debug"), DISTRIBUTION_SECONDS);
    });
  });

  describe("with issuers", () => {
    const caller = () => service("north", "admin-ui");
    const url = "http://ledger.lucid.internal/debug";
    const issuedIn = (datacenter: Datacenter) => both().meshes[datacenter].services.filter(isIssued);
    const servesIssued = async (each: Service, datacenter: Datacenter): Promise<void> => {
      const { fingerprint256, subjectAltName } = await issuedCertificate(each, at(datacenter));
      assert.equal(subjectAltName, `URI:${each.identity}`);
      for (const pod of await podsOf(each, at(datacenter))) {
        // As the controller asks, which here is the only one that does.
        const shown = await certificateAt(pod, SIDECAR_PORTS.inspection, { servername: "inspection.mesh" });
        assert.equal(shown.fingerprint256, fingerprint256, pod.name);
      }
    };

    it("fails no request while those of one datacenter take over and then the other's, who hear nothing of each other", async () => {
      const loads = await startLoads(
        { from: caller(), url, rate: RATE, connections: 4 },
        { from: caller(), url, rate: RATE / 4, connections: 2, fresh: true },
      );
      try {
        for (const datacenter of ["south", "north"] as const) {
          assertDone(await both().up(datacenter, { autoRotateCerts: "true" }));
          for (const each of issuedIn(datacenter))
            await eventually(each.name, () => servesIssued(each, datacenter), SYNC_SECONDS);
        }
        await connectionsMadeAnew();
      } finally {
        await loads.assertUnharmed();
      }
    });

    it("is answered by the caller's certificate alone, whoever of its zone has one of the same issuer", async () => {
      const pod = await podOf(service("south", "ledger"), at("south"));
      const serverName = crossingServerName("http", "ledger", "south", "ops.north");
      const attempt = { pod, serverName, protocol: "http2" as const, path: "/debug" };
      const answers = async (name: string) =>
        request({ ...attempt, credentials: await credentialsOf(service("north", name), at("north")) });
      assert.deepEqual(Object.keys(await answers("bystander")), ["refused"]);
      const own = await answers("admin-ui");
      assert.equal("refused" in own ? own.refused : own.status, 200);
    });
  });
});
