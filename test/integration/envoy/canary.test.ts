/** The live canary against a real sidecar, behind real packet filters: what refuses, what no longer does, and what doesn't answer at all. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { dump, load } from "js-yaml";
import type { Layer, Outcome } from "../../../services/controller/src/canary/model";
import { eventually } from "../support/eventually";
import { MeshLab } from "./mesh-lab";
import type { Host } from "./network";

interface Listener {
  readonly name: string;
  filter_chains: Record<string, unknown>[];
}

describe("the live canary", function () {
  this.timeout(240_000);
  let lab: MeshLab;
  let pod: Host;

  before(async () => {
    lab = await MeshLab.start();
    pod = lab.host("blocks");
  });
  after(async () => {
    await lab.stop();
  });

  /** What an enforcer on the pod's node does, and would do again. */
  const enforce = (...rules: readonly string[]) => {
    nft("add table inet enforcer");
    nft("flush table inet enforcer");
    nft("add chain inet enforcer in { type filter hook input priority 0; policy accept; }");
    for (const rule of ["iif lo accept", "ct state established,related accept", ...rules])
      nft(`add rule inet enforcer in ${rule}`);
  };
  const nft = (command: string) => {
    execFileSync("nsenter", [`--net=/run/netns/${pod.namespace}`, "nft", command], { stdio: "pipe" });
  };
  const knock = (layer: Layer) => lab.stranger.call("knock", { layer, address: pod.address });
  const finds = async (layer: Layer, outcome: Outcome, detail: RegExp) => {
    const tried = await knock(layer);
    assert.equal(tried.outcome, outcome, tried.detail);
    assert.match(tried.detail, detail);
  };
  const becomes = (layer: Layer, outcome: Outcome, detail: RegExp) =>
    eventually(`${layer} ${outcome}`, () => finds(layer, outcome, detail), 30);

  describe("at the network", () => {
    for (const [how, verdict] of Object.entries({
      "by silence": "drop",
      "by a reset": "reject with tcp reset",
      "by an ICMP error": "reject with icmp admin-prohibited",
    })) {
      it(`finds a policy in force that refuses ${how}`, async () => {
        enforce("tcp dport 15090 accept", verdict);
        await finds("network", "enforced", /^$/);
      });
    }

    it("is let in as soon as the enforcer has stopped, and not once it is back", async () => {
      enforce("tcp dport 15090 accept", "drop");
      await finds("network", "enforced", /^$/);
      nft("delete table inet enforcer");
      await finds("network", "let-in", /port 15021, which no NetworkPolicy opens, takes connections of other pods/);
      enforce("tcp dport 15090 accept", "drop");
      await finds("network", "enforced", /^$/);
    });

    it("is let in where a policy opens what none should", async () => {
      enforce("tcp dport { 15021, 15090 } accept", "drop");
      await finds("network", "let-in", /15021/);
    });

    it("is blind, and finds nothing enforced, where the pod answers nobody", async () => {
      enforce("drop");
      await finds("network", "blind", /port 15090, which is open to the controller, does not answer \(TIMEOUT\)/);
      nft("delete table inet enforcer");
      await finds("network", "let-in", /15021/);
    });
  });

  describe("at the sidecar", () => {
    const count = (name: string) => lab.sidecars.blocks.stat(`listener.inspection.${name}`);
    const changed = (change: (listener: Listener) => void) => {
      lab.sidecars.blocks.mountConfig(lab.mesh, (file, text) => {
        if (file !== "listeners.yaml") return text;
        const content = load(text) as { version_info?: string; resources: Listener[] };
        for (const listener of content.resources) if (listener.name === "inspection") change(listener);
        return dump(content, { noRefs: true, lineWidth: -1, skipInvalid: true });
      });
    };
    afterEach(async () => {
      lab.sidecars.blocks.mountConfig(lab.mesh);
      await becomes("sidecar", "enforced", /^$/);
    });

    it("is refused for the certificate that it has not, and counted as nothing else", async () => {
      const before = { missing: await count("ssl.fail_verify_no_cert"), wrong: await count("ssl.fail_verify_error") };
      await finds("sidecar", "enforced", /^$/);
      assert.equal(await count("ssl.fail_verify_no_cert"), before.missing + 1);
      assert.equal(await count("ssl.fail_verify_error"), before.wrong);
      assert.equal(await count("ssl.fail_verify_san"), 0);
    });

    it("is let in where the sidecar no longer wants a certificate", async () => {
      changed((listener) => {
        for (const chain of listener.filter_chains) {
          const { typed_config: tls } = chain.transport_socket as { typed_config: Record<string, object | false> };
          tls.require_client_certificate = false;
          // Where names are wanted, Envoy wants the certificate that bears them.
          tls.common_tls_context = { ...tls.common_tls_context, combined_validation_context: undefined };
        }
      });
      await becomes("sidecar", "let-in", /port 15090 of the sidecar serves whoever has no certificate/);
    });

    it("is let in where the sidecar speaks no TLS", async () => {
      changed((listener) => {
        const [{ filters } = {}] = listener.filter_chains;
        listener.filter_chains = [{ filters }];
      });
      await becomes("sidecar", "let-in", /port 15090 of the sidecar answers without TLS/);
    });

    it("is let in where the sidecar speaks no TLS to some, and wants a certificate of others", async () => {
      changed((listener) => {
        const [{ filters } = {}] = listener.filter_chains;
        listener.filter_chains.push({ filter_chain_match: { transport_protocol: "raw_buffer" }, filters });
      });
      await becomes("sidecar", "let-in", /answers without TLS/);
    });

    it("is blind where no chain is for the controller, and where nothing listens", async () => {
      changed((listener) => {
        for (const chain of listener.filter_chains)
          chain.filter_chain_match = { transport_protocol: "tls", server_names: ["inspection.nobody"] };
        listener.filter_chains = listener.filter_chains.slice(0, 1);
      });
      await becomes("sidecar", "blind", /does not say that a certificate is wanted/);
      lab.sidecars.blocks.mountConfig(lab.mesh);
      await becomes("sidecar", "enforced", /^$/);
      await lab.sidecars.blocks.stop();
      await finds("sidecar", "blind", /ECONNREFUSED/);
      await finds("network", "blind", /ECONNREFUSED/);
      await lab.sidecars.blocks.start();
    });
  });
});
