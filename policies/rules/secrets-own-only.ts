import type { ResourceRule } from "../judgement/rule";
import { KubeObject } from "../kubernetes/object";
import { makesPods, podTemplates } from "../kubernetes/pods";
import { secretsRead } from "../kubernetes/references";
import { partyOf } from "../kubernetes/workload";

/** A pod reads the Secrets that bear its service's name: not another's key, and not the management token of Consul's servers. */
export const secretsOwnOnly: ResourceRule = {
  name: "secrets-own-only",
  description: "A pod reads the Secrets named for its own service, `<service>-…`, and no others.",
  severity: "critical",
  remediation: "Give the service a Secret of its own, named `<service>-…`, with what it needs and nothing else.",
  uses: ["members"],
  takesExceptions: true,
  concerns: makesPods,
  judge(resource, ceiling, findings) {
    const object = KubeObject.of(resource);
    if (!object?.concernsMesh) return;
    for (const template of podTemplates(object)) {
      const party = partyOf(object, template, ceiling);
      const [zone = "", service = ""] = party?.split("/") ?? [];
      for (const name of secretsRead(template.spec)) {
        const text = name.text() ?? "";
        // `payout-router-audit-tls` is payout-router-audit's, where there is such a member. That the service itself is one is `members-only`'s to judge.
        const owner = [service, ...(ceiling.members[zone] ?? [])]
          .filter((candidate) => text.startsWith(`${candidate}-`))
          .sort((one, other) => other.length - one.length)[0];
        findings.require(
          party !== undefined && owner === service,
          name,
          `pods of ${party ?? "nobody"} read the Secret ${name.shown()}, which is not theirs`,
          `name the Secret ${service === "" ? "<service>" : service}-…, with what this service needs alone`,
        );
      }
    }
  },
};
