import { ExternalLab } from "./external-lab";
import { outside } from "./suites/outside";

/** Services outside the cluster, and the ways out that stand for them, on real Envoys in network namespaces. */
describe("sidecars of services outside the cluster, live", function () {
  this.timeout(120_000);
  let running: ExternalLab | undefined;
  const lab = (): ExternalLab => {
    if (running === undefined) throw new Error("the lab did not start");
    return running;
  };

  before(async () => {
    running = await ExternalLab.start();
  });
  after(async () => {
    await running?.stop();
  });

  outside(lab);
});
