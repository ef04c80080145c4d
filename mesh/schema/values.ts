/** Values that several parts of the document have. An error text is `what is wrong; mend`. */
import { z } from "zod";
import { MAX_SERVICE_NAME } from "../names";

export const serviceName = z
  .string()
  .max(MAX_SERVICE_NAME, { error: `a service's name has ${String(MAX_SERVICE_NAME)} characters at most; shorten it` })
  .regex(/^[a-z]([a-z0-9-]*[a-z0-9])?$/, {
    error: "a name is a DNS label; use lower-case letters, digits and '-', beginning with a letter",
  });

/** The value of a label, so that pods can bear it. */
export const versionLabel = z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/, {
  error: "this is no version; use letters, digits, '.', '-' and '_', 63 at most, and quotes",
});

export const portName = z
  .string()
  .max(15, { error: "a port's name has 15 characters at most; shorten it" })
  .regex(/^[a-z]([a-z0-9-]*[a-z0-9])?$/, {
    error: "a port's name is a DNS label; use lower-case letters, digits and '-', beginning with a letter",
  });

export const portNumber = z
  .int({ error: (issue) => `${article(issue.input)} is no port number; write a whole number from 1 to 65535` })
  .min(1, { error: "the port is out of range; write a number from 1 to 65535" })
  .max(65535, { error: "the port is out of range; write a number from 1 to 65535" });

/** Text in which a function finds no problem; the problem is the error's text. */
export function without(problemOf: (text: string) => string | undefined) {
  return z.string().superRefine((text, context) => {
    const message = problemOf(text);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });
}

function article(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
