/** Whether what is registered is what runs. */
import assert from "node:assert/strict";
import type { Service } from "../../../mesh";
import { podsOf } from "./cluster";
import { passingInstances } from "./discovery";
import { eventually } from "./eventually";

/** Waits until exactly the pods that run are registered, service by service. @param seconds for each service */
export async function registeredAsRunning(services: readonly Service[], seconds: number): Promise<void> {
  for (const each of services) {
    await eventually(
      `the registration of ${each.name}`,
      async () => {
        const running = (await podsOf(each)).map(({ name }) => name).sort();
        const instances = await passingInstances(each.name, each.zone);
        assert.deepEqual(instances.map(({ ID }) => ID).sort(), running);
      },
      seconds,
    );
  }
}
