/** The tries themselves: connections that must not come about, and those beside them that must. Nothing is told to who answers but what a request needs. */
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ZoneName } from "../../../../mesh/model.js";
import { INSPECTION_PORT_NAME, LIVE_CANARY, NODE_RESOLVER } from "../../../../mesh/wire.js";
import { attempt, type Attempt } from "../../../start-gate/src/connect.js";
import { runRound } from "../../../start-gate/src/gate.js";
import type { CanaryPod, Tried } from "./model.js";

const OWN_ZONE: ZoneName = "mesh";
/** Milliseconds after which silence counts as a refusal. */
const SILENCE = 1_000;
/** Milliseconds that a server has for its word on a missing certificate. A client of TLS 1.3 is through with its part before the server has looked at it. */
const VERDICT = 400;
/** Selects the filter chain of the controller's own zone: the one under which it might be let in. */
const SERVER_NAME = `${INSPECTION_PORT_NAME}.${OWN_ZONE}`;
/** Any answer will do; whoever has no certificate gets none. */
const REQUEST = "GET /ready HTTP/1.1\r\nHost: canary\r\nConnection: close\r\n\r\n";

/** How one knocks; replaced in tests. */
export interface Knock {
  readonly network: (pod: CanaryPod) => Promise<Tried>;
  readonly sidecar: (pod: CanaryPod) => Promise<Tried>;
}

export const KNOCK: Knock = { network: knockAtNetwork, sidecar: knockAtSidecar };

/** Tries the port that no policy opens, and after it the one beside. */
async function knockAtNetwork({ address, isOpen, wayOut }: CanaryPod): Promise<Tried> {
  if (wayOut !== undefined) return knockOutward(wayOut);
  const { closed, open } = LIVE_CANARY;
  return tryBoth(
    () => attempt(address, closed, SILENCE),
    () => (isOpen ? attempt(address, open, SILENCE) : Promise.resolve({ connected: true })),
    `port ${String(closed)}, which no NetworkPolicy opens, takes connections of other pods`,
    `port ${String(open)}, which is open to the controller, does not answer`,
  );
}

/** Tries what the start gate tries. */
function knockOutward(resolver: string): Promise<Tried> {
  const { canaryPort, dnsPort } = NODE_RESOLVER;
  return tryBoth(
    () => attempt(resolver, canaryPort, SILENCE),
    () => attempt(resolver, dnsPort, SILENCE),
    `it comes to port ${String(canaryPort)} of the node resolver, to which no NetworkPolicy lets anybody out`,
    `port ${String(dnsPort)} of its node's resolver, to which it is let out, does not answer`,
  );
}

async function tryBoth(
  tryCanary: () => Promise<Attempt>,
  tryOpen: () => Promise<Attempt>,
  lost: string,
  silent: string,
): Promise<Tried> {
  const round = await runRound({ tryCanary, tryOpen });
  switch (round.kind) {
    case "canary-open":
      return { outcome: "let-in", detail: lost };
    case "target-silent":
      return { outcome: "blind", detail: `${silent} (${round.code})` };
    case "enforced":
      return { outcome: "enforced", detail: "" };
  }
}

/** Tries the sidecar's port of inspection without TLS and without a certificate. That it speaks TLS, and refuses for the certificate alone, is its sign of life. */
async function knockAtSidecar({ address }: CanaryPod): Promise<Tried> {
  const port = LIVE_CANARY.open;
  const shown = `port ${String(port)} of the sidecar`;
  if (await answersPlainText(address, port)) return { outcome: "let-in", detail: `${shown} answers without TLS` };
  const answer = await withoutCertificate(address, port);
  if (answer === "served") return { outcome: "let-in", detail: `${shown} serves whoever has no certificate` };
  if (answer === "refused") return { outcome: "enforced", detail: "" };
  return { outcome: "blind", detail: `${shown} does not say that a certificate is wanted (${answer.code})` };
}

/** Whether a request without TLS is answered in HTTP. A reset and silence are none. */
export function answersPlainText(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host: address, port });
    let said = "";
    const finish = (answers: boolean): void => {
      clearTimeout(timer);
      socket.resetAndDestroy();
      resolve(answers);
    };
    const timer = setTimeout(() => {
      finish(false);
    }, SILENCE);
    socket.setEncoding("latin1");
    socket.once("connect", () => socket.write(REQUEST));
    socket.on("data", (text: string) => {
      said += text;
      if (said.length >= 5) finish(said.startsWith("HTTP/"));
    });
    socket.on("error", () => {
      finish(false);
    });
    socket.once("close", () => {
      finish(false);
    });
  });
}

/** What became of a handshake without a certificate: refused for it, served nevertheless, or neither. */
export function withoutCertificate(
  address: string,
  port: number,
): Promise<"refused" | "served" | { readonly code: string }> {
  return new Promise((resolve) => {
    let isThrough = false;
    let timer: NodeJS.Timeout | undefined;
    const socket = connectTls({
      host: address,
      port,
      servername: SERVER_NAME,
      minVersion: "TLSv1.3",
      ALPNProtocols: ["http/1.1"],
      // Whether the server refuses is asked, not who it is; it is told nothing.
      rejectUnauthorized: false,
    });
    const finish = (answer: "refused" | "served" | { readonly code: string }): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const within = (milliseconds: number, then: () => void): void => {
      clearTimeout(timer);
      timer = setTimeout(then, milliseconds);
    };
    const silent = (): void => {
      finish({ code: "TIMEOUT" });
    };
    within(2 * SILENCE, silent);
    socket.once("secureConnect", () => {
      isThrough = true;
      within(VERDICT, () => {
        socket.write(REQUEST);
        within(SILENCE, silent);
      });
    });
    socket.on("data", () => {
      finish("served");
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      const code = error.code ?? error.name;
      finish(isThrough && /_ALERT_/.test(code) ? "refused" : { code });
    });
    socket.once("close", () => {
      finish({ code: "CLOSED" });
    });
  });
}
