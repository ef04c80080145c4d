/** Datacenters: where each is reached, whose tokens its services show, and whose services they may call. */
import { z } from "zod";
import { addressProblem } from "../external/addresses";
import { keyFile } from "./end-users";
import { portNumber, without } from "./values";

/** Longest name of a datacenter: it stands in server names beside a service's and a port's. */
const MAX_NAME = 20;

export const datacenterName = z
  .string()
  .max(MAX_NAME, { error: `a datacenter's name has ${String(MAX_NAME)} characters at most; shorten it` })
  .regex(/^[a-z]([a-z0-9-]*[a-z0-9])?$/, {
    error: "a datacenter's name is a DNS label; use lower-case letters, digits and '-', beginning with a letter",
  });

/** Longest block of addresses that connections of a gateway come from. */
const WIDEST_SOURCE = 24;

const source = without((text) => {
  const [address = "", prefix = "", ...rest] = text.split("/");
  if (rest.length > 0 || !/^\d{1,2}$/.test(prefix) || Number(prefix) > 32)
    return "this is no block of addresses; write it as '203.0.113.10/32'";
  if (Number(prefix) < WIDEST_SOURCE)
    return `more than 256 addresses are no gateway's; write a block of /${String(WIDEST_SOURCE)} or narrower`;
  return addressProblem(address);
});

const link = z.strictObject({
  datacenter: datacenterName.describe("The datacenter whose services may be called."),
  reason: z
    .string({ error: "the reason is missing; say why services there are called from here" })
    .regex(/\S.*\S/s, { error: "the reason is empty; say why services there are called from here" })
    .max(300, { error: "a reason has 300 characters at most; shorten it" })
    .describe("Why they are."),
});

const datacenter = z.strictObject({
  gateway: z
    .strictObject({
      addresses: z
        .array(without(addressProblem))
        .min(1, { error: "the list is empty; write where the others reach the gateway" })
        .describe("IPv4 addresses at which the others reach its gateway, each an instance."),
      port: portNumber
        .min(30000, { error: "this is no NodePort; write one from 30000 to 32767" })
        .max(32767, { error: "this is no NodePort; write one from 30000 to 32767" })
        .default(30443)
        .describe("Port of these addresses, and NodePort of the gateway. Default: 30443."),
      sources: z
        .array(source)
        .min(1, { error: "the list is empty; write from where its connections come" })
        .optional()
        .describe("Blocks of addresses from which its gateway's own connections come. Default: `addresses`."),
    })
    .describe("Where its gateway is, as the others see it."),
  tokens: z
    .strictObject({
      issuer: z
        .string()
        .regex(/^https:\/\/\S+$/, { error: "an issuer is a URL; write it as the cluster's tokens say it (`iss`)" })
        .describe("Who issues the service-account tokens of its cluster, as their claim `iss` says it."),
      jwksFile: keyFile.describe("A file with the cluster's public keys (RFC 7517), beside the document."),
    })
    .describe("By what the tokens of its services are checked elsewhere."),
  calls: z
    .array(link)
    .default([])
    .describe("Links: the datacenters whose services may be called from here, each with its reason."),
});

/** All of them, by name. */
export const datacenters = z.record(datacenterName, datacenter);

/** Where a service runs. */
export const placement = z
  .array(datacenterName)
  .min(1, { error: "the list is empty; name a datacenter, or leave the key out for all" });

/** A datacenter as declared. */
export type DatacenterDeclaration = z.output<typeof datacenter>;
