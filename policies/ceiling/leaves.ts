/** Leaves until a day, of services outside and of links. */
import type { Ceiling } from "./lucid";
import { endProblems, holds } from "./exceptions";
import type { CeilingLeave } from "./types";
import type { Finding } from "../judgement/finding";

/** What has leaves, by its name. */
type Entries = Readonly<Record<string, { readonly leave: Readonly<Partial<Record<string, CeilingLeave>>> }>>;

/** What is wrong with the ends of leaves. One that is over gives none, and everything can be judged without it. */
export function leaveProblems({ outside, links }: Pick<Ceiling, "outside" | "links">, now: Date): readonly Finding[] {
  const problemsOf = (key: string, entries: Entries) =>
    Object.entries(entries).flatMap(([name, { leave }]) =>
      Object.entries(leave).flatMap(([kind, given]) => {
        const path = `${key}["${name}"].leave.${kind}`;
        return given === undefined ? [] : endProblems(`the leave for ${name}`, given, path, now);
      }),
    );
  return [...problemsOf("outside", outside), ...problemsOf("links", links)];
}

/** The same ceiling without the leaves that don't hold. */
export function withoutEndedLeaves(ceiling: Ceiling, now: Date): Ceiling {
  const holding = <Entry extends Entries[string]>(entries: Readonly<Record<string, Entry>>) =>
    Object.fromEntries(
      Object.entries(entries).map(([name, entry]) => {
        const leave = Object.entries(entry.leave).filter(([, given]) => given !== undefined && holds(given, now));
        return [name, { ...entry, leave: Object.fromEntries(leave) }] as const;
      }),
    );
  return { ...ceiling, outside: holding(ceiling.outside), links: holding(ceiling.links) };
}
