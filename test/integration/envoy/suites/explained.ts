import * as assert from "node:assert/strict";
import { explainRecord, type RecordExplanation } from "../../../../cli/access/record";
import { serverName } from "../../../../mesh/wire";
import { authenticatedMesh } from "../../../unit/envoy/authenticated";
import { enforced, placeOf } from "../../../unit/cli/fixture";
import type { AuthenticatedLab } from "../authenticated-lab";
import { until, type Credentials } from "../sidecar";

const REVOKED = "its answers were bought";

/** A request of the storefront to the portal that differs from a good one in one thing. */
interface Tried {
  readonly what: string;
  readonly port?: "http" | "open";
  readonly path?: string;
  /** Claims of the end user; null: no token of one. Default: good ones. */
  readonly user?: Record<string, unknown> | null;
  /** What it shows of itself. Default: its own certificate and token. */
  readonly shows?: (lab: AuthenticatedLab) => Credentials;
  readonly verdict?: "no" | "fails";
  readonly status: number;
  readonly layer: RecordExplanation["layer"];
  readonly place?: string;
  readonly says: RegExp;
}

const TRIED: readonly Tried[] = [
  { what: "a good one", status: 200, layer: undefined, says: /not refused: let in by the grant of 'storefront'/ },
  {
    what: "one without an identity token",
    shows: (lab) => ({ ...lab.leaves.storefront, token: "" }),
    status: 401,
    layer: "token",
    says: /refused for its token.*Jwt_is_missing/,
  },
  {
    what: "one with another service's token",
    shows: (lab) => ({ ...lab.leaves.storefront, token: lab.leaves.portal.token }),
    status: 403,
    layer: "token",
    says: /token is that of pod 'portal.*', beside the certificate of storefront/,
  },
  {
    what: "one whose path can't be judged",
    path: "/a%2fb",
    status: 400,
    layer: "request",
    says: /the path can't be judged/,
  },
  {
    what: "one without an end user",
    user: null,
    status: 401,
    layer: "end user",
    place: "services.portal.ports[0].endUsers",
    says: /refused for the end user's token/,
  },
  {
    what: "one of an end user who may not",
    user: { sub: "dave", email_verified: false },
    status: 403,
    layer: "end user",
    place: "services.portal.ports[0].endUsers",
    says: /what the token of end user 'dave' says/,
  },
  {
    what: "one to which the authenticator says no",
    port: "open",
    verdict: "no",
    status: 403,
    layer: "authentication",
    place: "authentication",
    says: /refused by verdict, which answers for callers: answered 403/,
  },
  {
    what: "one about which it says nothing",
    port: "open",
    verdict: "fails",
    status: 503,
    layer: "authentication",
    place: "authentication",
    says: /refused by verdict.*answered 503/,
  },
];

/** `mesh access explain --record` on what real sidecars write: it names the layer that refused, and the line of the document behind it. */
export function explained(lab: () => AuthenticatedLab): void {
  const send = async ({ port = "http", path, user, shows, verdict }: Tried, id: string) => {
    const { identity } = lab().service("storefront");
    const decided = {
      ...(verdict === "no" ? { callers: [identity] } : {}),
      ...(verdict === "fails" ? { fails: true } : {}),
    };
    await lab().host("verdict").call("setVerdict", decided);
    const { token, ...leaf } = shows?.(lab()) ?? lab().leaves.storefront;
    const authorization: Record<string, string> =
      user === null ? {} : { authorization: `Bearer ${lab().issuer.token(user ?? {})}` };
    return lab()
      .stranger.call("requestTls", {
        host: lab().host("portal").address,
        port: 15001,
        serverName: serverName(port, "portal", "ops"),
        path: path ?? "/orders",
        headers: { "x-request-id": id, ...authorization },
        ...leaf,
        ...(token === "" ? {} : { token }),
      })
      .finally(() => lab().host("verdict").call("setVerdict", {}));
  };
  const recordOf = async (id: string) => {
    const find = () => lab().sidecars.portal.records.find(({ requestId }) => requestId === id);
    await until("it is recorded", () => Promise.resolve(find() !== undefined), 5000);
    return find() ?? assert.fail();
  };

  describe("the explanation of what a sidecar wrote", () => {
    TRIED.forEach((tried, index) => {
      it(`${tried.what}: ${tried.layer ?? "no layer"} refused it`, async () => {
        const id = `explained-${String(index)}`;
        assert.equal((await send(tried, id)).status, tried.status);
        const { layer, place, says, refused } = explainRecord(
          enforced(lab().mesh),
          placeOf,
          JSON.stringify(await recordOf(id)),
        );
        assert.deepEqual([refused, layer, place], [tried.layer !== undefined, tried.layer, tried.place]);
        assert.match(says.join("; "), tried.says);
      });
    });

    it("one where the authenticator is revoked: the line that revokes it", async () => {
      const mesh = authenticatedMesh(lab().issuer.jwks, { verdict: REVOKED });
      const { portal } = lab().sidecars;
      portal.mountConfig(mesh);
      const open: Tried = { what: "", port: "open", status: 503, layer: "authentication", says: /./ };
      try {
        await until("it is refused", async () => (await send(open, "revoking")).status === 503);
        assert.equal((await send(open, "revoked")).status, 503);
      } finally {
        portal.mountConfig(lab().mesh);
      }
      const { layer, place, says, now } = explainRecord(
        enforced(mesh),
        placeOf,
        JSON.stringify(await recordOf("revoked")),
      );
      assert.deepEqual([layer, place], ["authentication", "services.verdict.revoked"]);
      assert.match(says.join("; "), new RegExp(`verdict is revoked: ${REVOKED}`));
      assert.deepEqual(
        now?.layers.filter(({ allowed }) => !allowed).map((each) => each.layer),
        ["authentication"],
      );
      await until("it answers again", async () => (await send(open, "answering")).status === 200);
    });

    it("a connection that TLS refused: the certificate, and who it claimed to be", async () => {
      const answer = await lab().stranger.call("requestTls", {
        host: lab().host("portal").address,
        port: 15001,
        serverName: serverName("http", "portal", "ops"),
        path: "/",
        ...lab().leaves.portal,
      });
      assert.equal(answer.status, undefined);
      const find = () => lab().sidecars.portal.records.find(({ kind }) => kind === "refused");
      await until("it is recorded", () => Promise.resolve(find() !== undefined), 5000);
      const { layer, says } = explainRecord(enforced(lab().mesh), placeOf, JSON.stringify(find()));
      assert.equal(layer, "TLS");
      assert.match(says.join("; "), /claims to be portal, which was not proven/);
    });
  });
}
