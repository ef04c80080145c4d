/** What the stack declares, before any cluster is asked. */
import { endedCalls } from "../../../components/stack/declaration";
import { isInstalled } from "../../../dev/plugins/official";
import { wantedPlugins } from "../../../dev/plugins/packages";
import { namesEmbeddedCluster } from "../../../dev/stack";
import { revocationNotices } from "../../../mesh";
import { trafficNotices } from "../../../mesh/traffic";
import { planViolations } from "../../../proof";
import { assumptionsOf, gapText, gaps, readTimeline } from "../../../proof/timeline";
import { counted, failure, judged, ok, skipped, warning } from "../check";
import type { Check } from "../check";
import { declaredIn } from "../context";

export const stackChecks: readonly Check[] = [
  {
    id: "document",
    category: "stack",
    phase: "before",
    title: "the stack's configuration and the mesh document are valid",
    tells: "Reads `Pulumi.<stack>.yaml` and the document as `pulumi up` does.",
    remedy: "mend what is named, at its line",
    more: "configuration.md#configuration",
    run: ({ declaration }) => {
      if (declaration instanceof Error) return failure(declaration.message);
      const { services, edges } = declaration.mesh;
      return ok(`${counted(services.length, "service")}, ${counted(edges.length, "edge")}`);
    },
  },
  {
    id: "document-notices",
    category: "stack",
    phase: "before",
    title: "the document declares nothing that is over, revoked or at odds with itself",
    tells:
      "What `pulumi preview` warns of: calls whose end has come, revoked services, callers that wait shorter than their callees may take.",
    remedy: "take out of the document what is over; see the page for the others",
    more: "access.md#who-may-call-whom",
    needs: ["document"],
    run: (context) => {
      const { mesh, settings } = declaredIn(context);
      const notices = [...endedCalls({ mesh, settings }), ...revocationNotices(mesh), ...trafficNotices(mesh)];
      return judged(notices, "the document says what a person should look at", undefined, warning);
    },
  },
  {
    id: "document-proven",
    category: "stack",
    phase: "before",
    title: "what the document renders opens exactly what it declares",
    tells:
      "Rehearses the program and computes from its objects who reaches whom, as `pulumi up` does first. It tells of a plan, not of the cluster: `reachability` does that.",
    remedy:
      "ask `npm run mesh -- reachability` for all of it; mend the document, or the transform that changes what it renders",
    more: "reachability.md#in-the-program",
    needs: ["document"],
    seconds: 60,
    run: async (context) => {
      const declared = declaredIn(context);
      const found = planViolations(declared.mesh, declared.settings, await declared.resources());
      return judged(found, "the plan opens something else than what is declared");
    },
  },
  {
    id: "certificates-in-time",
    category: "stack",
    phase: "before",
    title: "certificates are made anew before they end, as the stack is configured",
    tells:
      "Computes from the plan when each certificate is made anew and ends, if `pulumi up` runs as often as `updateIntervalHours` says. Whether it does is for `certificates-due` to tell.",
    remedy:
      "ask `npm run mesh -- certificates`; run `pulumi up` more often and say so (updateIntervalHours), or let certificates live longer (certValidityDays)",
    more: "certificates.md#in-time",
    needs: ["document"],
    seconds: 60,
    run: async (context) => {
      const declared = declaredIn(context);
      const { timeline, problems } = readTimeline(declared.mesh, declared.settings, await declared.resources());
      const instants = gaps(timeline, assumptionsOf(declared.settings));
      return judged(
        [...problems, ...instants.map(gapText)],
        "there are instants at which ends of an edge share no trust",
      );
    },
  },
  {
    id: "stack-cluster",
    category: "stack",
    phase: "before",
    title: "the cluster that is checked is the one that the stack deploys to",
    tells:
      "Compares the API servers of the kubeconfig and context of this command with those that the stack names. Two names of one server count as two.",
    remedy: "leave out --kubeconfig and --context, or name that cluster in `Pulumi.<stack>.yaml`",
    more: "configuration.md#stack-configuration",
    needs: ["document"],
    run: (context) => {
      const { context: name, server, stacks } = context.reach;
      if (stacks !== undefined && stacks.server !== server)
        return warning(`checked: ${name} (${server}); the stack's: ${stacks.context} (${stacks.server})`);
      return ok(name);
    },
  },
  {
    id: "provider-plugins",
    category: "stack",
    phase: "before",
    title: "Pulumi's provider plugins are the official ones, or the cluster is the embedded one",
    tells:
      "Looks which plugins are installed here for the SDKs of the project. Where one is missing, `npm start` takes a stand-in; plain `pulumi up` downloads it, or fails.",
    remedy:
      "install the official plugins where pulumi.com can be reached (`pulumi plugin install`); stand-ins are for the embedded cluster",
    more: "configuration.md#a-cluster-of-your-own",
    needs: ["document"],
    run: (context) => {
      const plugins = pluginsHere();
      if (plugins === undefined)
        return skipped("the SDKs of Pulumi's providers are not where this package looks for them");
      const standIns = plugins.filter(({ official }) => !official).map(({ name, version }) => `${name} ${version}`);
      if (standIns.length === 0) return ok("all official");
      const { kubeconfig, context: named } = declaredIn(context).settings;
      if (namesEmbeddedCluster({ "lucid-mesh:kubeconfig": kubeconfig, "lucid-mesh:context": named }))
        return ok(`embedded cluster; stand-ins for ${standIns.join(", ")}`);
      return warning("official plugins are missing here", standIns);
    },
  },
];

/** Undefined where the SDKs lie elsewhere, as in a package that was installed into another's folder. */
function pluginsHere() {
  try {
    return wantedPlugins().map((plugin) => ({ ...plugin, official: isInstalled(plugin) }));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
