import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Declared } from "../../../../cli/check/plan/declared";
import { CliError } from "../../../../cli/exit-status";
import { parseSettings } from "../../../../components";
import { wantedPlugins } from "../../../../dev/plugins/packages";
import { resolveMesh, validateDocument } from "../../../../mesh";
import { happy, put } from "../../mesh/fixture";
import { lucid, rehearsed, settings } from "../../proof/lucid";
import { describeFaults } from "./faults";

const STACK = { apiServerCidr: "10.77.0.10/32", nodeResolverIp: "10.96.64.53", consulIp: "10.96.64.54" };

/** A mesh with a call that was over long ago. */
function ended() {
  const document = happy();
  put(document, "services.0.calls.0.until", "2020-01-01");
  return new Declared(
    resolveMesh(validateDocument(document), { tracing: true, now: new Date().toISOString() }),
    settings,
  );
}

/** A program in which somebody opens every policy of zone wallet. */
class Opened extends Declared {
  override resources() {
    return rehearsed(lucid, {
      transforms: [
        ({ type, props, opts }) => {
          if (!type.endsWith(":NetworkPolicy")) return undefined;
          const { spec } = props as { spec: { policyTypes: string[] } };
          return { props: { ...props, spec: { ...spec, ingress: [{}] } }, opts };
        },
      ],
    });
  }
}

const pluginHome = process.env.PULUMI_HOME;

describe("with official plugins", () => {
  const home = mkdtempSync(join(tmpdir(), "lucid-check-"));
  before(() => {
    for (const { name, version } of wantedPlugins()) {
      const folder = join(home, "plugins", `resource-${name}-v${version}`);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `pulumi-resource-${name}`), "");
    }
    process.env.PULUMI_HOME = home;
  });
  after(() => {
    if (pluginHome === undefined) delete process.env.PULUMI_HOME;
    else process.env.PULUMI_HOME = pluginHome;
    rmSync(home, { recursive: true });
  });

  describeFaults("stack", [
    {
      id: "document",
      title: "a document that can't be read",
      make: (_, context) => {
        context.declaration = new CliError("mesh.yaml: 1 problem; nothing was planned");
      },
      says: /mesh\.yaml: 1 problem/,
    },
    {
      id: "document-notices",
      title: "a call that is over",
      make: (_, context) => {
        context.declaration = ended();
      },
      status: "warning",
      says: /ended at 2020-01-02T00:00:00Z/,
    },
    {
      id: "document-proven",
      title: "a program that opens more than its document declares",
      make: (_, context) => {
        context.declaration = new Opened(lucid, settings);
      },
      says: /network: .*lets/,
    },
    {
      id: "certificates-in-time",
      title: "certificates that end before the next update",
      make: (_, context) => {
        const rare = parseSettings({ ...STACK, certValidityDays: "30" });
        context.declaration = new Declared(lucid, rare);
      },
      says: /lives 30 days/,
    },
    {
      id: "stack-cluster",
      title: "another cluster than the stack's",
      make: (_, context) => {
        context.reach = { ...context.reach, stacks: { context: "own", server: "https://own.example.org" } };
      },
      status: "warning",
      says: /the stack's: own \(https:\/\/own\.example\.org\)/,
    },
    {
      id: "provider-plugins",
      title: "a plugin that isn't installed",
      make: () => {
        rmSync(
          join(home, "plugins", `resource-tls-v${wantedPlugins().find(({ name }) => name === "tls")?.version ?? ""}`),
          {
            recursive: true,
          },
        );
      },
      status: "warning",
      says: /missing here\ntls /,
    },
  ]);
});
