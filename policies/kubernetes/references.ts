import type { Field } from "../judgement/field";
import { allContainers } from "./pods";

/** Names of the ConfigMaps, Secrets and claims that a pod reads, each at its place. @throws Unjudgeable */
export function objectsRead(podSpec: Field): Field[] {
  const volumes = podSpec
    .at("volumes")
    .items()
    .flatMap((volume) => [
      volume.at("secret", "secretName"),
      volume.at("configMap", "name"),
      volume.at("persistentVolumeClaim", "claimName"),
      ...volume
        .at("projected", "sources")
        .items()
        .flatMap((source) => [source.at("secret", "name"), source.at("configMap", "name")]),
    ]);
  const variables = allContainers(podSpec).flatMap(({ field }) => [
    ...field
      .at("env")
      .items()
      .map((variable) => variable.at("valueFrom"))
      .flatMap((from) => [from.at("secretKeyRef", "name"), from.at("configMapKeyRef", "name")]),
    ...field
      .at("envFrom")
      .items()
      .flatMap((source) => [source.at("secretRef", "name"), source.at("configMapRef", "name")]),
  ]);
  return [...volumes, ...variables].filter((name) => !name.isAbsent);
}

/** Names of the Secrets that a pod reads, each at its place: volumes of every kind, variables, registries' passwords. @throws Unjudgeable */
export function secretsRead(podSpec: Field): Field[] {
  const volumes = podSpec
    .at("volumes")
    .items()
    .flatMap((volume) => [
      volume.at("secret", "secretName"),
      ...volume
        .at("projected", "sources")
        .items()
        .map((source) => source.at("secret", "name")),
      volume.at("csi", "nodePublishSecretRef", "name"),
    ]);
  const variables = allContainers(podSpec).flatMap(({ field }) => [
    ...field
      .at("env")
      .items()
      .map((variable) => variable.at("valueFrom", "secretKeyRef", "name")),
    ...field
      .at("envFrom")
      .items()
      .map((source) => source.at("secretRef", "name")),
  ]);
  const registries = podSpec
    .at("imagePullSecrets")
    .items()
    .map((secret) => secret.at("name"));
  return [...volumes, ...variables, ...registries].filter((name) => !name.isAbsent);
}
