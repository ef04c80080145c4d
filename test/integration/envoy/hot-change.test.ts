import { DRAIN_SECONDS } from "../../../envoy";
import { hotChange } from "./suites/hot-change";
import { MeshLab } from "./mesh-lab";

/** Failures are counted truly: the sidecars try nothing again. */
describe("sidecars, live, with the retries off", function () {
  this.timeout(120_000);
  let running: MeshLab | undefined;
  before(async () => {
    running = await MeshLab.start({ retries: false }, DRAIN_SECONDS);
  });
  after(async () => {
    await running?.stop();
  });

  hotChange(() => {
    if (running === undefined) {
      throw new Error("the lab did not start");
    }
    return running;
  });
});
