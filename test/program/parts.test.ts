import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { parsePartData, readDeclaration, type PartData } from "../../components";
import { admissionGeneration } from "../../components/admission/admission-control";
import { revocationList } from "../../components/identity/revocation-list";
import { documentDigest, sharedSettings } from "../../components/parts/shared-settings";
import { imageReference } from "../../components/service-image";
import { checkoutDir } from "../../dev/paths";
import { ZONES, type ZoneName } from "../../mesh";
import { tells } from "../unit/components/parts/told";
import { Program, type StateResource } from "./program";

/** What `Pulumi.dev.yaml` says of the cluster. */
const CONFIG = {
  apiServerCidr: "10.77.0.10/32",
  apiServerPort: "6443",
  nodeResolverIp: "10.96.64.53",
  consulIp: "10.96.64.54",
};
const FIRST = { roots: [1], issuers: [1] };
const PACK = ["--policy-pack", path.join(checkoutDir, "policies")];
/** A zone's authorities need no cluster. */
const authoritiesOf = (zone: ZoneName) =>
  ["**::lucid", `**:Zone::${zone}`, `**::${zone}-ca*`].flatMap((urn) => ["--target", urn]);
const KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]+-----END/g;

/** The real CLI, engine and policy pack on the real program, one stack for each part. No cluster is in reach. */
describe("a stack for each part of the mesh", function () {
  this.timeout(600_000);
  const programs: Program[] = [];
  const folder = mkdtempSync(path.join(tmpdir(), "lucid-told-"));
  let told: ReadonlyMap<ZoneName, PartData>;

  const prepare = async (stack: string) => {
    const program = await Program.prepare(checkoutDir, stack);
    programs.push(program);
    return program;
  };
  /** Where what others told is handed over by files. */
  const files = (data: Iterable<PartData>): Record<string, string> => {
    const places = [...data].map((one) => {
      const file = path.join(mkdtempSync(path.join(folder, "part-")), `${one.part}.json`);
      writeFileSync(file, JSON.stringify(one));
      return [one.part, file];
    });
    return { partStacks: JSON.stringify(Object.fromEntries(places)) };
  };

  before(async () => {
    const { mesh, settings, text } = readDeclaration({ ...CONFIG, document: path.join(checkoutDir, "mesh.yaml") });
    const declaration = { document: documentDigest(text), settings: sharedSettings(settings) };
    const shared = {
      admission: admissionGeneration({ mesh, settings }),
      startGate: imageReference({ service: "start-gate", registry: settings.imageRegistry }),
    };
    const all = ZONES.map((zone) => tells(zone, { declaration, ...(zone === "mesh" ? { shared } : {}) }));
    told = new Map((await Promise.all(all)).map((data) => [data.part, data]));
  });
  after(() => {
    for (const program of programs) program.dispose();
    rmSync(folder, { recursive: true });
  });

  // All five are judged in test/policies/parts.test.ts.
  for (const zone of ["mesh", "ops", "wallet"] as const) {
    it(`previews part ${zone} beside the others' stacks, and passes the pack`, async () => {
      const program = await prepare(`prod-${zone}`);
      for (const [part, data] of told)
        if (part !== zone)
          await program.otherStack("lucid-mesh", `prod-${part}`, { services: {}, joins: {}, part: data });
      const { status, output } = await program.preview({ part: zone }, PACK);
      assert.equal(status, 0, output);
      assert.match(output, /lucid-mesh@v\S+ \(local: /);
      assert.doesNotMatch(output, /\[mandatory\]|\[advisory\]|can't run policy/);
      assert.doesNotMatch(output, /would refuse|is not deployed|run `pulumi up` of part/);
      // A resource has another line each time that more is known of it.
      const namespaces = output.matchAll(/core\/v1:Namespace (\w+)-namespace create/g);
      assert.deepEqual([...new Set([...namespaces].map(([, name]) => name))], [zone]);
      for (const other of ZONES.filter((one) => one !== zone))
        assert.doesNotMatch(output, new RegExp(`\\b${other}-ca-|\\b${other}-default-deny`));
      assert.equal(/docker:index:Image|consul:index:AclToken|ValidatingAdmissionPolicy /.test(output), zone === "mesh");
    });
  }

  it("previews without any other part, and says what is closed and what comes first", async () => {
    const { status, output } = await (await prepare("prod-wallet")).preview({ part: "wallet" }, ["--json"]);
    assert.equal(status, 0, output);
    assert.match(output, /`pulumi up` would refuse: part mesh is not deployed .*run `pulumi up` of part mesh first/);
    assert.match(
      output,
      /part ops is not deployed \(stack organization\/lucid-mesh\/prod-ops\): nobody of it is believed/,
    );
    // The admission policies of part mesh let nobody delete it by itself.
    const goesWith = [...output.matchAll(/"deletedWith": "([^"]*)"/g)].map(([, urn]) => urn?.split("::").at(-1));
    assert.deepEqual(goesWith, ["wallet-namespace"]);
    const deny = output.slice(0, output.indexOf('"deletedWith"')).lastIndexOf('"urn": ');
    assert.match(output.slice(deny, deny + 250), /NetworkPolicy::wallet-default-deny"/);
  });

  it("registers nothing of a part while part mesh is not deployed, or from something else", async () => {
    const program = await prepare("prod-wallet");
    const mesh = told.get("mesh");
    assert.ok(mesh);
    const older = { ...mesh, shared: { ...mesh.shared, admission: "0".repeat(16) } } as PartData;
    for (const [changes, why] of [
      [{}, /part mesh is not deployed/],
      [files([older]), /admission policies that part mesh has deployed are of another document/],
    ] as const) {
      const { status, output } = await program.upUnseen({ part: "wallet", ...changes });
      assert.notEqual(status, 0, output);
      assert.match(output, /part wallet can't be deployed as the others are; nothing was registered/);
      assert.match(output, why);
      assert.doesNotMatch(output, /^\s+at .*:\d+:\d+\)?$|Unhandled exception|node_modules/m);
      const others = (await program.held()).filter(
        (type) => !["pulumi:pulumi:Stack", "pulumi:providers:pulumi"].includes(type),
      );
      assert.deepEqual(others, []);
    }
  });

  it("keeps each zone's keys out of the others' states", async () => {
    const states = new Map<ZoneName, readonly StateResource[]>();
    const later = new Map(told);
    // The second is told what the first really made, and the first then what the second did.
    for (const zone of ["wallet", "ops", "wallet"] as const) {
      const program = await prepare(`prod-${zone}`);
      const others = [...later.values()].filter(({ part }) => part !== zone);
      const { status, output } = await program.upUnseen({ part: zone, ...files(others) }, authoritiesOf(zone));
      assert.equal(status, 0, output);
      const state = await program.state();
      states.set(zone, state);
      later.set(zone, toldBy(zone, state, told.get(zone)));
    }
    const keys = new Map([...states].map(([zone, state]) => [zone, new Set(JSON.stringify(state).match(KEY))]));
    for (const [zone, state] of states) {
      const made = state.filter(({ type }) => type.startsWith("tls:index/")).map(({ urn }) => urn.split("::").at(-1));
      assert.ok((keys.get(zone)?.size ?? 0) >= 2, `${zone} has a root's and an issuer's key`);
      assert.ok(made.includes(`${zone}-ca-root`) && made.includes(`${zone}-ca-issuing`));
      for (const other of ZONES.filter((one) => one !== zone)) {
        assert.ok(!made.some((name) => name?.startsWith(`${other}-`)), `${zone} makes certificates of ${other}`);
        for (const key of keys.get(other) ?? [])
          assert.ok(!JSON.stringify(state).includes(key), `${zone} holds a key of ${other}`);
      }
    }
  });
});

/** What a part would tell that was deployed with this state. */
function toldBy(zone: ZoneName, state: readonly StateResource[], as: PartData | undefined): PartData {
  const find = (name: string) => state.find(({ urn }) => urn.endsWith(`::${name}`))?.outputs ?? {};
  const text = (outputs: Readonly<Record<string, unknown>>, key: string) => {
    const value = outputs[key];
    const shown = typeof value === "object" && value !== null && "plaintext" in value ? value.plaintext : value;
    assert.equal(typeof shown, "string");
    const plain = String(shown);
    return plain.startsWith('"') ? (JSON.parse(plain) as string) : plain;
  };
  const rootsPem = text(find(`${zone}-ca-root`), "certPem");
  const issuer = text(find(`${zone}-ca-issuing`), "certPem");
  const key = text(find(`${zone}-ca-issuing-key`), "privateKeyPemPkcs8");
  const revocationsPem = revocationList(issuer, key, []);
  assert.ok(as);
  return parsePartData({ ...as, trust: { rootsPem, revocationsPem, generations: FIRST } }, zone, "the state");
}
