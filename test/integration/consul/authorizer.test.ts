/** What the proof takes Consul to do, and what a real Consul does: the same for random ACL objects, right by right. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { parseAclRules } from "../../../policies/consul/acl-rules";
import { Authorizer, NAMED_KINDS, WHOLE_KINDS } from "../../../policies/consul/acl/authorizer";
import type { Access, ResourceKind } from "../../../policies/consul/acl/authorizer";
import type { AclObjects, Grants } from "../../../policies/consul/acl/objects";
import { contested, resolveRules } from "../../../policies/consul/acl/resolve";
import { TestConsul } from "../../../services/controller/test/support/consul";
import { ASKED, randomAcl, written } from "./random-acl";
import type { RandomAcl } from "./random-acl";

const CASES = 150;
const DATACENTER = "dc1";
/** Most questions that Consul takes at once. */
const AT_ONCE = 64;

interface Question {
  readonly kind: ResourceKind;
  readonly access: Access;
  readonly name: string;
}

const QUESTIONS: readonly Question[] = [
  ...[...NAMED_KINDS, "intention" as const].flatMap((kind) =>
    ASKED.flatMap((name) =>
      (kind === "key" ? (["read", "list", "write"] as const) : (["read", "write"] as const)).map((access) => ({
        kind,
        access,
        name,
      })),
    ),
  ),
  ...WHOLE_KINDS.flatMap((kind) => (["read", "write"] as const).map((access) => ({ kind, access, name: "" }))),
];

describe("Consul's ACLs", function () {
  this.timeout(300_000);
  let consul: TestConsul;
  let made = 0;

  before(async () => {
    consul = await TestConsul.start();
  });
  after(() => consul.stop());

  it(`decide as the proof computes it, of ${CASES} random sets of policies, roles, identities and templates`, () =>
    fc.assert(
      fc.asyncProperty(randomAcl, async (acl) => {
        const { objects, token } = modelled(acl);
        const rules = resolveRules(token, objects, DATACENTER);
        // Texts of policies are new in each case; those that Consul makes itself are not, and what it merges into them would stay.
        fc.pre(
          contested(rules)
            .flat()
            .every(({ ground }) => /^\d+( by role)?$/.test(ground)),
        );
        const authorizer = new Authorizer(rules);
        const answers = await authorized(await createToken(acl));
        const differing = QUESTIONS.filter(
          ({ kind, access, name }, index) => authorizer.allows(kind, access, name) !== answers[index],
        );
        assert.deepEqual(
          differing.map(({ kind, access, name }) => `${access} ${kind} ${JSON.stringify(name)}`),
          [],
        );
      }),
      { numRuns: CASES, seed: 20_261_121, endOnFailure: true },
    ));

  for (const policy of ["global-management", "builtin/global-read-only"]) {
    it(`decide as computed of its own policy ${policy}`, async () => {
      const token = { ...NOTHING, policies: [policy] };
      const authorizer = new Authorizer(resolveRules(token, EMPTY, DATACENTER));
      const { SecretID } = (await consul.request("PUT", "/v1/acl/token", { Policies: [{ Name: policy }] })) as Token;
      assert.deepEqual(
        await authorized(SecretID),
        QUESTIONS.map(({ kind, access, name }) => authorizer.allows(kind, access, name)),
      );
    });
  }

  it("give whoever has a policy what another says that was merged with it: such tokens are not judged", async () => {
    const rules = (name: string, policy: string) => [{ kind: "service", name, policy, ground: policy }];
    assert.equal(contested([...rules("a", "read"), ...rules("a", "write")]).length, 1);
    assert.equal(contested([...rules("a", "read"), ...rules("b", "write"), ...rules("a", "read")]).length, 0);
    const policy = async (name: string, word: string) => {
      const body = { Name: `${name}-${word}`, Rules: written(rules(name, word), "hcl") };
      await consul.request("PUT", "/v1/acl/policy", body);
      return { Name: body.Name };
    };
    const mayWrite = async (name: string, ...policies: object[]) => {
      const { SecretID } = (await consul.request("PUT", "/v1/acl/token", { Policies: policies })) as Token;
      return (await ask(SecretID, [{ kind: "service", access: "write", name }])).includes(true);
    };
    const gained: boolean[] = [];
    // It goes by the policies' ids which of two is written to, and those are random.
    for (let pair = 0; pair < 12; pair += 1) {
      const name = `merged-${String(pair)}`;
      const [read, write] = [await policy(name, "read"), await policy(name, "write")];
      assert.equal(await mayWrite(name, read, write), true);
      gained.push(await mayWrite(name, read));
    }
    assert.ok(gained.includes(true), "Consul no longer keeps what it merged: take `contested` out");
    assert.equal(await mayWrite("never-merged", await policy("never-merged", "read")), false);
  });

  it("let who shows no token do nothing", async () => {
    const answers = await authorized("anonymous");
    assert.ok(answers.every((answer) => !answer));
  });

  for (const rules of [
    'service "a" { policy = "read" }\nservice "a" { policy = "write" }',
    'operator = "read"\noperator = "write"',
    'service "a" { policy = "list" }',
    'service "a" { intentions = "read" }',
    'key "a" { policy = "execute" }',
  ]) {
    it(`refuse, or are not judged: ${JSON.stringify(rules)}`, async () => {
      const answer = await fetch(`http://127.0.0.1:${String(consul.httpPort)}/v1/acl/policy`, {
        method: "PUT",
        headers: { "X-Consul-Token": MANAGEMENT },
        body: JSON.stringify({ Name: `refused-${String((made += 1))}`, Rules: rules }),
      });
      const parsed = parseAclRules(rules);
      const judge = () => parsed && new Authorizer(parsed.map((rule) => ({ ...rule, ground: "" })));
      if (answer.ok) assert.doesNotThrow(judge);
      else if (parsed !== undefined) assert.throws(judge);
    });
  }

  /** Makes a token with random rights. @returns its secret */
  async function createToken({ policies, role, token, hasRole }: RandomAcl): Promise<string> {
    const number = (made += 1);
    const nameOf = (index: number) => `policy-${String(number)}-${String(index)}`;
    await Promise.all(
      policies.map(({ rules, datacenters, notation }, index) =>
        consul.request("PUT", "/v1/acl/policy", {
          Name: nameOf(index),
          Rules: written(rules, notation, number),
          Datacenters: datacenters,
        }),
      ),
    );
    const linked = ({ policies: indices, ...identities }: RandomAcl["role"]) => ({
      Policies: indices.map((index) => ({ Name: nameOf(index) })),
      ...wire(identities),
    });
    const roleName = `role-${String(number)}`;
    if (hasRole) await consul.request("PUT", "/v1/acl/role", { Name: roleName, ...linked(role) });
    const body = { ...linked(token), ...(hasRole ? { Roles: [{ Name: roleName }] } : {}) };
    return ((await consul.request("PUT", "/v1/acl/token", body)) as Token).SecretID;
  }

  /** What Consul says to each question, to who bears a token. */
  function authorized(secret: string): Promise<boolean[]> {
    return ask(secret, QUESTIONS);
  }

  async function ask(secret: string, questions: readonly Question[]): Promise<boolean[]> {
    const answers: boolean[] = [];
    for (let first = 0; first < questions.length; first += AT_ONCE) {
      const asked = questions.slice(first, first + AT_ONCE);
      const response = await fetch(`http://127.0.0.1:${String(consul.httpPort)}/v1/internal/acl/authorize`, {
        method: "POST",
        headers: secret === "anonymous" ? {} : { "X-Consul-Token": secret },
        body: JSON.stringify(
          asked.map(({ kind, access, name }) => ({ Resource: kind, Access: access, Segment: name })),
        ),
      });
      const text = await response.text();
      assert.ok(response.ok, text);
      answers.push(...(JSON.parse(text) as { Allow: boolean }[]).map(({ Allow }) => Allow));
    }
    return answers;
  }
});

interface Token {
  readonly SecretID: string;
}

const MANAGEMENT = "7d5a6cdc-0000-4000-8000-5a1b2c3d4e5f";
const NOTHING: Grants = { policies: [], roles: [], serviceIdentities: [], nodeIdentities: [], templatedPolicies: [] };
const EMPTY: AclObjects = { policies: [], roles: [], tokens: [], authMethods: [], bindingRules: [] };

/** The same objects as the proof has them. */
function modelled({ policies, role, token, hasRole }: RandomAcl) {
  const named = ({ policies: indices, ...identities }: RandomAcl["role"]) => ({
    ...identities,
    policies: indices.map(String),
    roles: [],
  });
  const objects: AclObjects = {
    ...EMPTY,
    policies: policies.map(({ rules, datacenters, notation }, index) => ({
      name: String(index),
      title: String(index),
      rules: parseAclRules(written(rules, notation)) ?? assert.fail(written(rules, notation)),
      datacenters,
    })),
    roles: [{ name: "role", title: "role", ...named(role) }],
  };
  return { objects, token: { ...named(token), roles: hasRole ? ["role"] : [] } };
}

/** Identities as Consul's API writes them. */
function wire({ serviceIdentities, nodeIdentities, templatedPolicies }: Omit<Grants, "policies" | "roles">) {
  return {
    ServiceIdentities: serviceIdentities.map(({ service, datacenters }) => ({
      ServiceName: service,
      Datacenters: datacenters,
    })),
    NodeIdentities: nodeIdentities.map(({ node, datacenter }) => ({ NodeName: node, Datacenter: datacenter })),
    TemplatedPolicies: templatedPolicies.map(({ template, name }) => ({
      TemplateName: template,
      ...(name === "" ? {} : { TemplateVariables: { Name: name } }),
    })),
  };
}
