import { grpcClient } from "./suites/grpc-client";
import { http2Conformance } from "./suites/http2-conformance";
import { MeshLab } from "./mesh-lab";

/** Tools that others wrote judge the sidecars. */
describe("sidecars, live, under conformance tools", function () {
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

  http2Conformance(lab);
  grpcClient(lab);
});
