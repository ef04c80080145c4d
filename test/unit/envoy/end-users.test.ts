import * as assert from "node:assert/strict";
import fc from "fast-check";
import { endUserFilters } from "../../../envoy/authorization/end-users";
import type { Message } from "../../../envoy/message";
import type { ClaimRequirement, EndUserRule, EndUsers } from "../../../mesh/model";
import { consulNetwork } from "../../../components/discovery/consul/network";
import { networkPolicies } from "../../../components/network/network-policies";
import { authenticatedMesh } from "./authenticated";
import { clustersOf, fieldsNamed, listenersOf } from "./walk";

interface Request {
  readonly method: string;
  readonly path: string;
  /** Claims of a good token; undefined where there is none. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

const SNI = "http.portal.ops";
const METHODS = ["GET", "POST", "DELETE"];
const PATHS = ["/", "/a", "/a/", "/a/b", "/ab", "/b", "/b/c"];

const claim: fc.Arbitrary<ClaimRequirement> = fc.record({
  path: fc.constantFrom<[string, ...string[]]>(["r"], ["s"], ["o", "r"]),
  values: fc.subarray(["x", "y", "true"], { minLength: 1 }),
});
const rule: fc.Arbitrary<EndUserRule> = fc
  .record({
    methods: fc.subarray(METHODS, { maxLength: 2 }),
    paths: fc.subarray(["/a", "/a/*", "/a*", "/b", "/b/*"], { maxLength: 2 }),
    anonymous: fc.boolean(),
    claims: fc.array(claim, { maxLength: 2 }),
  })
  .filter(({ methods, paths }) => methods.length + paths.length > 0)
  .map((each) => (each.anonymous ? { ...each, claims: [] } : each));
const users: fc.Arbitrary<EndUsers> = fc.record({
  issuer: fc.constant("https://login"),
  audiences: fc.constant<[string]>(["portal"]),
  keySet: fc.constant('{"keys":[]}'),
  token: fc.constant({ kind: "bearer" as const }),
  forwardToken: fc.boolean(),
  forwardClaims: fc.boolean(),
  clockSkewSeconds: fc.constant(30),
  claims: fc.array(claim, { maxLength: 1 }),
  rules: fc.array(rule, { maxLength: 4 }),
});
const value = fc.constantFrom<unknown>("x", "y", "z", true, false, ["x"], ["z", "y"], [], undefined);
const request: fc.Arbitrary<Request> = fc.record({
  method: fc.constantFrom(...METHODS),
  path: fc.constantFrom(...PATHS),
  claims: fc.option(fc.record({ r: value, s: value, o: fc.record({ r: value }), iss: fc.constant("https://login") }), {
    nil: undefined,
  }),
});

/** What the document says: the first rule that fits decides, and all claims must hold. */
function declared({ claims, rules }: EndUsers, asked: Request): boolean {
  const fits = rules.find(
    ({ methods, paths }) =>
      (methods.length === 0 || methods.includes(asked.method)) &&
      (paths.length === 0 || paths.some((path) => pathFits(path, asked.path))),
  );
  if (fits?.anonymous === true) return true;
  const wanted = [...claims, ...(fits?.claims ?? [])];
  return asked.claims !== undefined && wanted.every((each) => holds(each, asked.claims));
}

function pathFits(pattern: string, path: string): boolean {
  return pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : pattern === path;
}

function holds({ path, values }: ClaimRequirement, claims: unknown): boolean {
  const found = path.reduce<unknown>((place, key) => (place as Record<string, unknown> | undefined)?.[key], claims);
  const said = (Array.isArray(found) ? found : [found]) as unknown[];
  return values.some((text) => said.includes(text) || (text === "true" && found === true));
}

/** What the filters do, by Envoy's rules: a token where the first match requires one, then any policy that fits. */
function enforced(filters: readonly Message[], asked: Request): boolean {
  const [, token, rbac] = filters.map(({ typed_config }) => typed_config as Message);
  const matches = (token?.rules ?? []) as unknown as { match: Route; requires?: unknown }[];
  const first = matches.find(({ match }) => routeFits(match, asked));
  if (first?.requires !== undefined && asked.claims === undefined) return false;
  const payload = first?.requires === undefined ? undefined : asked.claims;
  const policies = Object.values((rbac?.rules as unknown as { policies: Record<string, Policy> }).policies);
  return policies.some(
    ({ permissions, principals }) =>
      permissions.some((each) => permits(each, asked)) && principals.some((each) => admits(each, payload)),
  );
}

interface Route {
  readonly path?: string;
  readonly prefix?: string;
  readonly headers?: readonly { readonly string_match: { readonly exact: string } }[];
}
interface Policy {
  readonly permissions: readonly Message[];
  readonly principals: readonly Message[];
}

function routeFits({ path, prefix = "", headers = [] }: Route, asked: Request): boolean {
  const there = path === undefined ? asked.path.startsWith(prefix) : asked.path === path;
  return there && headers.every(({ string_match }) => string_match.exact === asked.method);
}

function permits(permission: Message, asked: Request): boolean {
  const [[kind, body]] = Object.entries(permission) as [[string, Message]];
  const rules = (body.rules ?? []) as Message[];
  switch (kind) {
    case "requested_server_name":
      return body.exact === SNI;
    case "and_rules":
      return rules.every((each) => permits(each, asked));
    case "or_rules":
      return rules.some((each) => permits(each, asked));
    case "not_rule":
      return !permits(body, asked);
    case "url_path": {
      const { exact, prefix } = body.path as { exact?: string; prefix?: string };
      return exact === undefined ? asked.path.startsWith(prefix ?? "?") : asked.path === exact;
    }
    case "header":
      // What the requests of these tests have is one token or none.
      if (body.name === "authorization") return asked.claims !== undefined;
      return body.name === ":method" && (body.string_match as { exact: string }).exact === asked.method;
    default:
      return assert.fail(kind);
  }
}

function admits(principal: Message, payload: Request["claims"]): boolean {
  if (principal.any === true) return true;
  const and = principal.and_ids as { ids: Message[] } | undefined;
  if (and !== undefined) return and.ids.every((each) => admits(each, payload));
  const { metadata_matcher } = principal.sourced_metadata as { metadata_matcher: Message };
  const keys = (metadata_matcher.path as { key: string }[]).map(({ key }) => key);
  const found = keys.reduce<unknown>((place, key) => (place as Record<string, unknown> | undefined)?.[key], {
    end_user: payload,
  });
  const { or_match } = metadata_matcher.value as { or_match: { value_matchers: Message[] } };
  return or_match.value_matchers.some((matcher) => valueFits(matcher, found));
}

function valueFits(matcher: Message, found: unknown): boolean {
  if (matcher.bool_match !== undefined) return found === matcher.bool_match;
  if (matcher.list_match !== undefined) {
    const { one_of } = matcher.list_match as { one_of: Message };
    return Array.isArray(found) && found.some((each) => valueFits(one_of, each));
  }
  return found === (matcher.string_match as { exact: string }).exact;
}

describe("the filters of end users", () => {
  const port = (endUsers: EndUsers) =>
    ({ name: "http", port: 8080, protocol: "http", dialPort: 80, endUsers }) as const;

  it("let in whom the document lets in and nobody else, whatever its rules", () => {
    const outcomes = new Set<boolean>();
    fc.assert(
      fc.property(users, fc.array(request, { minLength: 1, maxLength: 20 }), (declaration, requests) => {
        const filters = endUserFilters(SNI, port(declaration));
        for (const asked of requests) {
          const expected = declared(declaration, asked);
          outcomes.add(expected);
          assert.equal(enforced(filters, asked), expected, JSON.stringify(asked));
        }
      }),
      { numRuns: 500 },
    );
    assert.equal(outcomes.size, 2);
  });

  it("are none where a port has no end users", () => {
    assert.deepEqual(endUserFilters(SNI, { name: "http", port: 8080, protocol: "http", dialPort: 80 }), []);
  });

  const mesh = authenticatedMesh();
  const portal = mesh.services.find(({ name }) => name === "portal") ?? assert.fail();
  const filtersOf = (portName: string): string[] => {
    const inbound = listenersOf(mesh, portal).find(({ name }) => name === "inbound");
    const chain = inbound?.filter_chains?.find(({ name }) => name === `inbound|${portName}|ops`);
    const filters = fieldsNamed(chain, "http_filters") as unknown as { name: string }[][];
    return (filters[0] ?? []).map(({ name }) => name.replace("envoy.filters.http.", ""));
  };

  it("stand after the caller's own authorization, and before the question about it", () => {
    const users = ["header_mutation.end_users", "jwt_authn.end_users", "rbac.end_users"];
    assert.deepEqual(filtersOf("http"), ["identity-token", "rbac", ...users, "ext_authz", "router"]);
    assert.deepEqual(filtersOf("grpc"), ["identity-token", "rbac", ...users, "grpc_stats", "router"]);
    assert.deepEqual(filtersOf("open"), ["identity-token", "rbac", "ext_authz", "router"]);
    assert.deepEqual(filtersOf("peer"), ["identity-token", "rbac", "ext_authz", "router"]);
  });

  it("never take a token from a query, nor for ever", () => {
    for (const provider of fieldsNamed(listenersOf(mesh, portal), "providers") as Message[]) {
      const { end_users } = provider as { end_users: Message };
      assert.equal([end_users.from_headers, end_users.from_cookies].filter((place) => place !== undefined).length, 1);
      assert.equal(end_users.from_params, undefined);
      assert.equal(end_users.require_expiration, true);
    }
  });
});

describe("the question about callers", () => {
  const mesh = authenticatedMesh();
  const named = (name: string) => mesh.services.find((service) => service.name === name) ?? assert.fail();

  it("goes by a cluster of its own with mutual TLS, to which no listener and no name leads", () => {
    const names = clustersOf(mesh, named("portal")).map(({ name }) => name);
    assert.ok(names.includes("outbound|verdict|grpc"));
    const listeners = listenersOf(mesh, named("portal"));
    assert.ok(listeners.every(({ name }) => !name.startsWith("outbound|verdict|")));
    assert.doesNotMatch(JSON.stringify(listeners.find(({ name }) => name === "dns")), /verdict/);
  });

  it("fails closed, in time, and lets the answer change nothing", () => {
    const [filter] = fieldsNamed(listenersOf(mesh, named("portal")), "http_filters")
      .flat()
      .filter((each) => (each as unknown as Message).name === "envoy.filters.http.ext_authz") as unknown as Message[];
    const config = filter?.typed_config as Message;
    assert.equal(config.failure_mode_allow, false);
    assert.deepEqual(config.status_on_error, { code: "ServiceUnavailable" });
    assert.deepEqual(config.decoder_header_mutation_rules, { disallow_all: true, disallow_is_error: true });
    assert.equal(config.with_request_body, undefined);
    assert.deepEqual((config.grpc_service as Message).timeout, "0.3s");
  });

  it("has its edge in the network's layer too, in both directions", () => {
    const surroundings = { apiServerCidr: "10.77.0.10/32", apiServerPort: 6443, discovery: { network: consulNetwork } };
    const policies = mesh.zones.flatMap((zone) => networkPolicies(mesh, zone, surroundings));
    const specOf = (name: string) => JSON.stringify(policies.find((policy) => policy.name === name)?.spec);
    assert.match(specOf("portal"), /"egress":.*"verdict"/);
    assert.match(specOf("verdict"), /"ingress":.*"portal".*"egress"/);
    assert.doesNotMatch(specOf("storefront"), /verdict/);
  });
});
