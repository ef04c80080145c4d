import type { Plain } from "../judgement/plain";
import { Reachability as Calls } from "./envoy/matrix";
import { readMesh } from "./envoy/reading/mesh";
import type { Knowledge, MeshReading } from "./envoy/reading/mesh";
import { Reachability as Connections } from "./network/reachability";
import { readCluster } from "./network/reading/cluster";
import type { Reading, Surroundings } from "./network/reading/cluster";
import { readDirectories } from "./registration/reading/directories";
import type { Credentials, DirectoriesReading } from "./registration/reading/directories";

/** Rendered objects, and what is read of them: each layer's part once, whoever asks for it. */
export class Evidence {
  private cluster: Reading | undefined;
  private mesh: MeshReading | undefined;
  private network: Connections | undefined;
  private sidecars: Calls | undefined;
  private directories: DirectoriesReading | undefined;

  /** @param knowledge what the objects don't say */
  constructor(
    private readonly objects: readonly Plain[],
    private readonly knowledge: Surroundings & Knowledge & { readonly credentials?: Credentials },
  ) {}

  /** What the objects say of the network. @throws RangeError for a cluster address that is no CIDR */
  get clusterReading(): Reading {
    return (this.cluster ??= readCluster(this.objects, this.knowledge));
  }

  /** What the objects say of sidecars. */
  get meshReading(): MeshReading {
    return (this.mesh ??= readMesh(this.objects, this.knowledge));
  }

  /** Who may connect to whom; undefined where it can't be judged. */
  get connections(): Connections | undefined {
    const { cluster } = this.clusterReading;
    return cluster === undefined ? undefined : (this.network ??= new Connections(cluster));
  }

  /** Who may call whom; undefined where it can't be judged. */
  get calls(): Calls | undefined {
    const { sidecars } = this.meshReading;
    return sidecars === undefined ? undefined : (this.sidecars ??= new Calls(sidecars));
  }

  /** What the objects say of who may register and look up names. */
  get directoriesReading(): DirectoriesReading {
    return (this.directories ??= readDirectories(this.objects, this.knowledge.credentials ?? {}));
  }
}
