import { access } from "./suites/access";
import { calls } from "./suites/calls";
import { circuitBreaker } from "./suites/circuit-breaker";
import { connectionLimit } from "./suites/connection-limit";
import { identity } from "./suites/identity";
import { layers } from "./suites/layers";
import { listeners } from "./suites/listeners";
import { overload } from "./suites/overload";
import { rateLimit } from "./suites/rate-limit";
import { reload } from "./suites/reload";
import { resilience } from "./suites/resilience";
import { retries } from "./suites/retries";
import { singleIdentity } from "./suites/single-identity";
import { streams } from "./suites/streams";
import { telemetry } from "./suites/telemetry";
import { token } from "./suites/token";
import { trafficReload } from "./suites/traffic-reload";
import { MeshLab } from "./mesh-lab";

/**
 * The rendered files on real Envoys, each in a network namespace of its own as in a pod, with real certificates, before any cluster is there. Every
 * refusal is tried beside the permission that differs from it in one thing.
 */
describe("sidecars, live", function () {
  this.timeout(120_000);
  let running: MeshLab | undefined;
  const lab = (): MeshLab => {
    if (running === undefined) {
      throw new Error("the lab did not start");
    }
    return running;
  };

  before(async () => {
    running = await MeshLab.start();
  });
  after(async () => {
    await running?.stop();
  });

  calls(lab);
  streams(lab);
  overload(lab);
  identity(lab);
  singleIdentity(lab);
  token(lab);
  listeners(lab);
  telemetry(lab);
  access(lab);
  layers(lab);
  reload(lab);
  resilience(lab);
  rateLimit(lab);
  circuitBreaker(lab);
  retries(lab);
  connectionLimit(lab);
  trafficReload(lab);
});
