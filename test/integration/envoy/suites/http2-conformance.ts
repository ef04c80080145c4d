import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { serverName } from "../../../../mesh/wire";
import type { MeshLab } from "../mesh-lab";
import { runTool } from "../tool";
import { DEVIATIONS, RACES } from "./http2-deviations";

const PORT = 8001;

/** h2spec against port 15001: what of HTTP/2 (RFC 7540) and HPACK (RFC 7541) the inbound listener does not keep is a closed list. */
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
      const junit = path.join(stranger.directory, "h2spec.xml");
      const args = ["-h", "127.0.0.1", "-p", String(PORT), "-P", "/any", "-o", "2", "-j", junit];
      const { output } = await runTool(stranger, "h2spec", args);
      const cases = parse(fs.readFileSync(junit, "utf8"));
      const failed = cases.filter((candidate) => candidate.failed).map(({ name }) => name);
      console.log(`      ${String(cases.length)} cases, ${String(cases.length - failed.length)} passed`);
      assert.ok(cases.length >= 140, output);
      const certain = failed.filter((name) => !(name in RACES));
      // Not by assert.deepEqual's own message: the tool's output is long, and the difference is what is looked for.
      if (certain.length !== Object.keys(DEVIATIONS).length) console.log(output);
      assert.deepEqual(certain.sort(), Object.keys(DEVIATIONS).sort());
    });
  });
}

interface Case {
  /** `<section>: <title>`. */
  readonly name: string;
  readonly failed: boolean;
}

/** The cases of h2spec's JUnit report. */
function parse(xml: string): Case[] {
  const cases = [
    ...xml.matchAll(/<testcase package="([^"]*)" classname="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g),
  ];
  return cases.map(([, section = "", title = "", body = ""]) => ({
    name: `${section}: ${title.replaceAll("&#39;", "'").replaceAll("&#34;", '"')}`,
    failed: body.includes("<failure") || body.includes("<error"),
  }));
}
