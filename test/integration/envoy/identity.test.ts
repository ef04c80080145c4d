import { MeshLab } from "./mesh-lab";
import { nobody } from "./suites/nobody";
import { revocation } from "./suites/revocation";
import { rotation } from "./suites/rotation";

/** Authorities that change and certificates that are withdrawn, under load and with the sidecars' retries off, so that every failure is counted. */
describe("identity over time, live", function () {
  this.timeout(240_000);
  let running: MeshLab | undefined;
  const lab = (): MeshLab => {
    if (running === undefined) {
      throw new Error("the lab did not start");
    }
    return running;
  };

  before(async () => {
    // How fast a busy machine shakes hands is not under test: 0.25 s would count its delays as failures.
    running = await MeshLab.start({ retries: false }, undefined, (_file, text) =>
      text.replaceAll("connect_timeout: 0.25s", "connect_timeout: 5s"),
    );
  });
  after(async () => {
    await running?.stop();
  });

  nobody(lab);
  rotation(lab);
  revocation(lab);
});
