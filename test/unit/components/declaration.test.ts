import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeclarationError, endedCalls, readDeclaration } from "../../../components/stack/declaration";
import { findService } from "../../../mesh";
import { PUBLIC_KEYS } from "../envoy/authenticated";
import { happy, put } from "../mesh/fixture";

describe("readDeclaration", () => {
  const folder = mkdtempSync(join(tmpdir(), "lucid-declaration-"));
  const file = join(folder, "mesh.yaml");
  const settings = { apiServerCidr: "10.0.0.1/32", nodeResolverIp: "10.96.64.53", consulIp: "10.96.64.54" };
  const document = happy();
  put(document, "services.0.calls.0.until", "2026-12-31");
  writeFileSync(file, JSON.stringify(document));

  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("reads the document that the stack names, with what the stack decides", () => {
    const { mesh, settings: read, text } = readDeclaration({ ...settings, document: file });
    assert.equal(read.document, file);
    assert.equal(text, JSON.stringify(document));
    assert.ok(mesh.edges.some((edge) => edge.kind === "telemetry"));
    assert.equal(
      readDeclaration({ ...settings, document: file, tracingEnabled: "false" }).mesh.edges.some(
        (edge) => edge.kind === "telemetry",
      ),
      false,
    );
  });

  it("tells of a call that has ended, and leaves it out", () => {
    const read = (now?: string) => readDeclaration({ ...settings, document: file, tracingEnabled: "false" }, now);
    for (const now of [undefined, "2026-12-31T23:59:59.999Z"]) {
      assert.deepEqual(endedCalls(read(now)), []);
      assert.equal(read(now).mesh.edges.length, 1);
    }
    const late = read("2027-01-01T00:00:00.000Z");
    assert.equal(late.mesh.edges.length, 0);
    const [line = "", ...others] = endedCalls(late);
    assert.deepEqual(others, []);
    assert.ok(
      line.startsWith(`${file}, services.admin-ui.calls[0]: the call of admin-ui to port http of lucid-blocks`),
    );
    assert.match(line, /ended at 2027-01-01T00:00:00Z and is left out; take it out of the document/);
  });

  it("reads key sets from beside the document, and says where one is named that is not there", () => {
    const declared = happy();
    const users = { issuer: "https://login", audiences: ["admin-ui"], jwksFile: "keys/login.json" };
    put(declared, "services.0.ports.0.endUsers", users);
    const beside = join(folder, "users.yaml");
    writeFileSync(beside, JSON.stringify(declared));
    const read = () => readDeclaration({ ...settings, document: beside });
    assert.throws(read, (error) => {
      assert.ok(error instanceof DeclarationError);
      assert.match(error.message, /services\.admin-ui\.ports\[0\]\.endUsers\.jwksFile: .*is not there/);
      return true;
    });
    mkdirSync(join(folder, "keys"));
    writeFileSync(join(folder, "keys", "login.json"), JSON.stringify({ keys: PUBLIC_KEYS }));
    const [port] = findService(read().mesh, "admin-ui")?.ports ?? [];
    assert.match(port?.endUsers?.keySet ?? "", /"kid":"current"/);
  });

  it("says what is wrong, of settings and document, in one kind of error", () => {
    assert.throws(() => readDeclaration({}), DeclarationError);
    assert.throws(() => readDeclaration({ ...settings, document: "no-such.yaml" }), /no-such\.yaml.*it is not there/);
    writeFileSync(file, "services: []");
    assert.throws(() => readDeclaration({ ...settings, document: file }), DeclarationError);
  });
});
