import { AuthenticatedLab } from "./authenticated-lab";
import { authenticator } from "./suites/authenticator";
import { explained } from "./suites/explained";
import { endUsers } from "./suites/end-users";

/** End users' tokens and the question about callers, on real Envoys in network namespaces. */
describe("sidecars with end users and an authenticator, live", function () {
  this.timeout(120_000);
  let running: AuthenticatedLab | undefined;
  const lab = (): AuthenticatedLab => {
    if (running === undefined) throw new Error("the lab did not start");
    return running;
  };

  before(async () => {
    running = await AuthenticatedLab.start();
  });
  after(async () => {
    await running?.stop();
  });

  endUsers(lab);
  authenticator(lab);
  explained(lab);
});
