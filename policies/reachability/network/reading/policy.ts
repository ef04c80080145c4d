import { Unjudgeable } from "../../../judgement/field";
import type { Field } from "../../../judgement/field";
import { AddressSet } from "../../sets/address-set";
import { HIGHEST_PORT, LOWEST_PORT, isPort } from "../../sets/port-set";
import { refuseUnknownFields, requiredText } from "./fields";
import type { Direction, Opening, Peer, Policy, PortMatch } from "../model";
import { readProtocol } from "./workload";
import { RUN_TIME_LABELS } from "./run-time-labels";
import type { Selector } from "../selector";
import { readSelector } from "./selector";

/** Where a policy names its peers, and how it names the direction. */
const WORDS = {
  ingress: { peers: "from", type: "Ingress" },
  egress: { peers: "to", type: "Egress" },
} as const;

const PORT_NAME = /^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/;

/**
 * Reads what a NetworkPolicy (`networking.k8s.io/v1`) says, with the API server's defaults and refusals
 * (https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/).
 *
 * @param inside addresses of pods and Services: an `ipBlock` that touches them can't be judged
 * @throws Unjudgeable
 */
export function readPolicy(object: Field, inside: AddressSet): Omit<Policy, "title" | "namespace"> {
  refuseUnknownFields(object, ["apiVersion", "kind", "metadata", "spec", "status"]);
  const spec = object.at("spec");
  if (spec.isAbsent)
    throw new Unjudgeable(spec.path, "nothing of the policy is known", "give its spec as plain values");
  refuseUnknownFields(spec, ["podSelector", "policyTypes", "ingress", "egress"]);
  const types = readTypes(spec);
  const openings = (direction: Direction) => {
    const rules = spec
      .at(direction)
      .items()
      .flatMap((rule) => readRule(rule, WORDS[direction].peers, inside));
    return types.includes(WORDS[direction].type) ? rules : undefined;
  };
  return {
    selector: readPodSelector(spec.at("podSelector")),
    openings: { ingress: openings("ingress"), egress: openings("egress") },
  };
}

/** The directions that the policy restricts. Where it doesn't say: ingress always, egress if it has a rule for it. */
function readTypes(spec: Field): readonly string[] {
  const types = spec.at("policyTypes").items();
  if (types.length === 0) return spec.at("egress").items().length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
  for (const type of types) {
    if (!type.isOneOf(["Ingress", "Egress"]))
      throw new Unjudgeable(type.path, `${type.shown()} is no policy type`, "use Ingress and Egress");
  }
  return types.map((type) => type.text() ?? "");
}

function readRule(rule: Field, peersKey: "from" | "to", inside: AddressSet): Opening[] {
  refuseUnknownFields(rule, [peersKey, "ports"]);
  const list = rule.at("ports").items();
  const ports = list.length === 0 ? undefined : list.map(readPort);
  const peers = rule.at(peersKey).items();
  if (peers.length === 0) return [{ path: rule.path, peer: { kind: "everyone" }, ports }];
  return peers.map((field) => ({ path: field.path, peer: readPeer(field, inside), ports }));
}

function readPeer(field: Field, inside: AddressSet): Peer {
  refuseUnknownFields(field, ["ipBlock", "namespaceSelector", "podSelector"]);
  const [block, namespaces, pods] = [field.at("ipBlock"), field.at("namespaceSelector"), field.at("podSelector")];
  if (block.isAbsent && namespaces.isAbsent && pods.isAbsent)
    throw new Unjudgeable(
      field.path,
      "the peer names nobody",
      "the API refuses that: give it a selector or an ipBlock",
    );
  if (block.isAbsent)
    return {
      kind: "pods",
      namespaces: namespaces.isAbsent ? undefined : readSelector(namespaces),
      pods: readPodSelector(pods),
    };
  if (namespaces.isAbsent && pods.isAbsent) return { kind: "addresses", addresses: readBlock(block, inside) };
  throw new Unjudgeable(
    field.path,
    "the peer has an ipBlock and a selector",
    "the API refuses that: make two peers of it",
  );
}

/** A selector of pods; a missing one selects all. */
function readPodSelector(field: Field): Selector {
  const selector = readSelector(field);
  const late = selector.requirements.find(({ key }) => RUN_TIME_LABELS.has(key));
  if (late === undefined) return selector;
  throw new Unjudgeable(
    field.path,
    `it selects by ${late.key}, which a pod gets only when it is made`,
    "select by a label of the pod template",
  );
}

function readBlock(block: Field, inside: AddressSet): AddressSet {
  refuseUnknownFields(block, ["cidr", "except"]);
  const whole = readCidr(block.at("cidr"));
  const addresses = block
    .at("except")
    .items()
    .reduce((rest, field) => {
      const except = readCidr(field);
      if (whole.covers(except) && !except.equals(whole)) return rest.minus(except);
      throw new Unjudgeable(
        field.path,
        `${field.shown()} is no part of the block`,
        "the API refuses that: except a smaller block inside it",
      );
    }, whole);
  const touched = addresses.intersect(inside);
  if (touched.isEmpty) return addresses;
  throw new Unjudgeable(
    block.path,
    `it holds addresses of the cluster's own pods and Services (${touched.toString()}), so whom it lets through depends on who has them`,
    "except those addresses, and select pods by namespace and label",
  );
}

function readCidr(field: Field): AddressSet {
  const addresses = AddressSet.parse(requiredText(field));
  if (addresses !== undefined) return addresses;
  throw new Unjudgeable(field.path, `${field.shown()} is no block of addresses`, "write it as 192.0.2.0/24");
}

function readPort(field: Field): PortMatch {
  refuseUnknownFields(field, ["protocol", "port", "endPort"]);
  const protocol = readProtocol(field.at("protocol"));
  const [port, end] = [field.at("port"), field.at("endPort")];
  if (!end.isAbsent && (port.isAbsent || port.isText))
    throw new Unjudgeable(
      end.path,
      "the range has no number to begin with",
      "the API refuses that: give port a number",
    );
  if (port.isAbsent) return { protocol, first: LOWEST_PORT, last: HIGHEST_PORT };
  if (port.isText) {
    const name = requiredText(port);
    if (PORT_NAME.test(name)) return { protocol, name };
    throw new Unjudgeable(port.path, `${port.shown()} is no port's name`, "give a number without quotes, or a name");
  }
  const first = readNumber(port);
  const last = end.isAbsent ? first : readNumber(end);
  if (first <= last) return { protocol, first, last };
  throw new Unjudgeable(end.path, "the range ends before it begins", "the API refuses that: swap port and endPort");
}

function readNumber(field: Field): number {
  const number = field.number();
  if (number !== undefined && isPort(number)) return number;
  throw new Unjudgeable(field.path, `${field.shown()} is no port`, "give a number from 1 to 65535");
}
