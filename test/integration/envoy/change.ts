import type { Mesh } from "../../../mesh/model";
import type { MeshLab, Running } from "./mesh-lab";
import { until } from "./sidecar";

/**
 * Gives some sidecars the files of another mesh, as kubelet does, and waits until each has taken both lists and every cluster of them is warm.
 * `alter` may change a file's text.
 */
export async function change(
  lab: MeshLab,
  mesh: Mesh,
  names: readonly Running[],
  alter?: (file: string, text: string) => string,
): Promise<void> {
  await Promise.all(
    names.map(async (name) => {
      const sidecar = lab.sidecars[name];
      const taken = () =>
        Promise.all([
          sidecar.stat("listener_manager.lds.update_success"),
          sidecar.stat("cluster_manager.cds.update_success"),
        ]);
      const [listeners, clusters] = await taken();
      sidecar.mountConfig(mesh, alter);
      await until(
        `${name} has its new files`,
        async () => {
          const [newListeners, newClusters] = await taken();
          const warming = await sidecar.stat("cluster_manager.warming_clusters");
          return newListeners > listeners && newClusters > clusters && warming === 0;
        },
        30_000,
      );
    }),
  );
}
