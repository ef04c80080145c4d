import { serverName } from "../../../../mesh/wire";
import { judgeHttp2 } from "../../support/h2spec";
import type { MeshLab } from "../mesh-lab";
import { runTool } from "../tool";

const PORT = 8001;

/** h2spec against port 15001. */
export function http2Conformance(lab: () => MeshLab): void {
  describe("h2spec against the inbound listener", () => {
    it("fails in no case but the listed ones", async function () {
      this.timeout(300_000);
      const { stranger } = lab();
      await stranger.call("serveForwarder", {
        port: PORT,
        host: lab().host("blocks").address,
        serverName: serverName("http", "blocks", "wallet"),
        ...lab().leaf("router"),
      });
      await judgeHttp2(PORT, (args) => runTool(stranger, "h2spec", args));
    });
  });
}
