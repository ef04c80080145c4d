/** What in the pod template of a joining stack contradicts what the mesh was told of its service. Values that are known only later are left to the policy pack. */
import type { Conflict } from "../pods/sidecar-conflicts";
import { conflicts, describe, known } from "../pods/sidecar-conflicts";
import type { PodTemplate } from "../pods/pod-template";
import type { JoinData } from "./join-data";

/** What the joining stack says beside the template. */
interface Choices {
  readonly replicas: number;
  readonly drainThemselves?: readonly string[];
}

/** The message of an error that names every conflict; undefined where there is none. */
export function describeJoinConflicts(template: PodTemplate, join: JoinData, choices: Choices): string | undefined {
  const { service } = join.sidecar;
  const found = [
    ...conflicts(template, join.sidecar, choices),
    ...ofToken(template, service),
    ...ofPorts(template, join),
    ...ofReplicas(join, choices.replicas),
  ];
  return describe(found, `${service} can't join as it is declared here`);
}

function ofToken({ spec }: PodTemplate, service: string): Conflict[] {
  return known(spec, "automountServiceAccountToken") === true
    ? [
        {
          path: "spec.automountServiceAccountToken",
          problem: `the pod asks for a token of the Kubernetes API, where ${service} has no right and no way`,
          mend: "leave it out",
        },
      ]
    : [];
}

/** A port that both sides name is one number: the sidecar goes to the mesh's. */
function ofPorts({ spec }: PodTemplate, { ports }: JoinData): Conflict[] {
  return spec.containers.flatMap((container, index) =>
    (Array.isArray(container.ports) ? (container.ports as unknown[]) : []).flatMap((port, at) => {
      const declared = ports.find(({ name }) => name === known(port, "name"));
      const number = known(port, "containerPort");
      return declared === undefined || number === undefined || number === declared.port
        ? []
        : [
            {
              path: `spec.containers[${String(index)}].ports[${String(at)}].containerPort`,
              problem: `port '${declared.name}' is ${JSON.stringify(number)} here and ${String(declared.port)} in the mesh's document`,
              mend: `have the application listen on ${String(declared.port)}, or have the document changed first`,
            },
          ];
    }),
  );
}

function ofReplicas({ replicas, owner }: JoinData, wanted: number): Conflict[] {
  if (!Number.isInteger(wanted) || wanted < 0) {
    return [{ path: "replicas", problem: `${String(wanted)} is no number of pods`, mend: "write 0 or more" }];
  }
  const mend =
    "write less, or have 'replicas' raised in the mesh's document first: the sidecars of its peers are sized by it";
  return wanted > replicas
    ? [{ path: "replicas", problem: `${String(wanted)} pods are more than the ${String(replicas)} of ${owner}`, mend }]
    : [];
}
