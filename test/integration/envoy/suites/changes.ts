/** Changes of what is mounted, each with the sign that it has taken effect. */
import * as assert from "node:assert/strict";
import type { Edge, Mesh } from "../../../../mesh/model";
import { makeEdge, services } from "../../../unit/envoy/fixture";
import type { MeshLab, Running } from "../mesh-lab";
import { Authority, bundleOf, joined } from "../pki";
import type { Sidecar } from "../sidecar";
import { until } from "../sidecar";

const BLOCKS = services.blocks.hostname;

/** One change of what is mounted. */
export interface Change {
  readonly what: string;
  readonly make: (lab: MeshLab) => Promise<void> | void;
  /** Comes true when the change has taken effect: nothing may be proven by a change that did not happen. */
  readonly effect: (lab: MeshLab) => Promise<boolean>;
}

/** The status that a GET by one service is answered; undefined where nobody answers. */
export const status = async (lab: MeshLab, from: Running, host: string, port: number, path: string) =>
  (await lab.host(from).call("request", { host, port, path })).status;

/** Changes that leave the connections of the streams alone, in the order in which they are made; each starts from what the one before left. */
export const CHANGES: readonly Change[] = [
  altered("console", "the callee's cluster", "clusters.yaml", /connect_timeout: 0.25s/g, "connect_timeout: 0.35s"),
  altered("blocks", "the application's cluster", "clusters.yaml", /connect_timeout: 0.25s/g, "connect_timeout: 0.35s"),
  {
    what: "a path is allowed",
    make: (lab) => {
      lab.sidecars.blocks.mountConfig(withRule(lab.mesh));
    },
    effect: async (lab) => (await status(lab, "console", BLOCKS, 80, "/new")) === 200,
  },
  {
    what: "and taken back",
    make: (lab) => {
      lab.sidecars.blocks.mountConfig(lab.mesh);
    },
    effect: async (lab) => (await status(lab, "console", BLOCKS, 80, "/new")) === 403,
  },
  {
    what: "a call is added",
    make: (lab) => {
      const more = withEdge(lab.mesh, makeEdge(services.console, services.router, "http"));
      lab.sidecars.router.mount(more, lab.leaf("router"), lab.trust);
      lab.sidecars.console.mount(more, lab.leaf("console"), lab.trust);
    },
    effect: async (lab) => (await status(lab, "console", services.router.hostname, 80, "/")) === 200,
  },
  {
    what: "and taken away",
    make: (lab) => {
      lab.sidecars.console.mount(lab.mesh, lab.leaf("console"), lab.trust);
      lab.sidecars.router.mount(lab.mesh, lab.leaf("router"), lab.trust);
    },
    effect: async (lab) => (await status(lab, "console", services.router.hostname, 80, "/")) === undefined,
  },
  {
    what: "another caller zone is let in",
    make: (lab) => {
      const more = withEdge(lab.mesh, makeEdge(services.controller, services.blocks, "http"));
      lab.sidecars.blocks.mount(more, lab.leaf("blocks"), lab.trust);
    },
    effect: async (lab) => (await asController(lab)) === 200,
  },
  {
    what: "and shut out",
    make: (lab) => {
      lab.sidecars.blocks.mount(lab.mesh, lab.leaf("blocks"), lab.trust);
    },
    effect: async (lab) => (await asController(lab)) === undefined,
  },
  {
    what: "both ends get a new certificate",
    make: async (lab) => {
      lab.sidecars.blocks.mountCertificate(await lab.forge("chain", services.blocks));
      lab.sidecars.console.mountCertificate(await lab.forge("ops", services.console));
    },
    effect: async (lab) =>
      (await lab.sidecars.blocks.stat("sds.leaf.update_success")) >= 2 &&
      (await lab.sidecars.console.stat("sds.leaf.update_success")) >= 2,
  },
  {
    what: "the callee's zone gets a second root",
    make: async (lab) => {
      const next = await Authority.create("chain");
      const { trust } = lab;
      const trusted = { ops: trust.ops, mesh: trust.mesh, chain: await bundleOf(lab.authorities.chain, next) };
      lab.sidecars.console.mountTrust(trusted);
      await until("both roots are loaded", async () => (await trustUpdates(lab)) >= 2);
      lab.sidecars.blocks.mountCertificate(await next.issue(BLOCKS, services.blocks.identity));
      await until("the new chain is served", async () => (await leafUpdates(lab.sidecars.blocks)) >= 3);
      lab.sidecars.console.mountTrust({ ...trusted, chain: await next.bundle() });
    },
    effect: async (lab) => (await trustUpdates(lab)) >= 3,
  },
  {
    what: "and the first one back",
    make: async (lab) => {
      const { trust } = lab;
      const next = lab.sidecars.console.trusted("chain");
      const trusted = { ops: trust.ops, mesh: trust.mesh, chain: joined(trust.chain, next) };
      lab.sidecars.console.mountTrust(trusted);
      await until("both roots are loaded", async () => (await trustUpdates(lab)) >= 4);
      lab.sidecars.blocks.mountCertificate(lab.leaf("blocks"));
      await until("the old chain is served", async () => (await leafUpdates(lab.sidecars.blocks)) >= 4);
      lab.sidecars.console.mountTrust({ ...trusted, chain: trust.chain });
    },
    effect: async (lab) => (await trustUpdates(lab)) >= 5,
  },
];

/** Changes of every connection manager: their old connections are drained. */
export const DRAINING_CHANGES: readonly Change[] = [
  altered("console", "the route's timeout", "listeners.yaml", /timeout: 15s/g, "timeout: 16s"),
  altered("blocks", "a limit", "listeners.yaml", /max_concurrent_streams: 256/g, "max_concurrent_streams: 200"),
];

/** A change of one setting of one file, by its text. */
function altered(name: "console" | "blocks", what: string, file: string, from: RegExp, to: string): Change {
  const stat = `${file === "listeners.yaml" ? "listener_manager.lds" : "cluster_manager.cds"}.update_success`;
  let before = 0;
  return {
    what: `${what} changes`,
    make: async (lab) => {
      before = await lab.sidecars[name].stat(stat);
      lab.sidecars[name].mountConfig(lab.mesh, (mounted, text) => {
        if (mounted !== file) {
          return text;
        }
        const changed = text.replaceAll(from, to);
        assert.notEqual(changed, text, `${what}: there is nothing to change`);
        return changed;
      });
    },
    effect: async (lab) =>
      (await lab.sidecars[name].stat(stat)) > before &&
      (await lab.sidecars[name].stat("cluster_manager.warming_clusters")) === 0,
  };
}

async function asController(lab: MeshLab): Promise<number | undefined> {
  const answer = await lab.stranger.call("requestTls", {
    host: lab.host("blocks").address,
    port: 15001,
    serverName: "http.blocks.mesh",
    ...(await lab.forge("mesh", services.controller)),
  });
  return answer.status;
}

function trustUpdates(lab: MeshLab): Promise<number> {
  return lab.sidecars.console.stat("sds.trust/chain.update_success");
}

function leafUpdates(sidecar: Sidecar): Promise<number> {
  return sidecar.stat("sds.leaf.update_success");
}

function withEdge(mesh: Mesh, edge: Edge): Mesh {
  return { ...mesh, edges: [...mesh.edges, edge] };
}

/** The mesh without these edges. */
export function without(mesh: Mesh, gone: (edge: Edge) => boolean): Mesh {
  return { ...mesh, edges: mesh.edges.filter((edge) => !gone(edge)) };
}

function withRule(mesh: Mesh): Mesh {
  const edges = mesh.edges.map((edge) =>
    edge.from === "console" && edge.to === "blocks" && edge.port === "http"
      ? { ...edge, rules: [...edge.rules, { methods: ["GET"], paths: ["/new"] }] }
      : edge,
  );
  return { ...mesh, edges };
}
