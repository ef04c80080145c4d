/**
 * Changes of a YAML text that leave every other byte as it is: comments, order, quotes and blank lines are the author's. (A library that writes the whole
 * document anew keeps comments and loses the rest.)
 */
import {
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  stringify,
  type Node,
  type Pair,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";

/** A value that a call may hold. */
export type Plain = string | readonly string[];

/** Adds an element, a map of plain values, at the end of a list. */
export function appendItem(text: string, seq: YAMLSeq, item: Readonly<Record<string, Plain>>): string {
  if (seq.flow === true) return appendFlow(text, seq, flowMap(item));
  const last = seq.items.at(-1);
  const start = seq.range?.[0];
  if (!isNode(last) || start === undefined) throw new RangeError("a block list is never empty");
  const indent = columnOf(text, start);
  return insertLines(text, endOfLine(text, deepEnd(last)), blockItem(item, indent));
}

/** Adds a key with a list that holds one map of plain values, at the end of a map. */
export function addList(text: string, map: YAMLMap, key: string, item: Readonly<Record<string, Plain>>): string {
  if (map.flow === true) return appendFlow(text, map, `${key}: [${flowMap(item)}]`);
  const indent = columnOf(text, map.range?.[0] ?? 0);
  return insertLines(text, endOfLine(text, deepEnd(map)), [
    `${" ".repeat(indent)}${key}:`,
    ...blockItem(item, indent + 2),
  ]);
}

/** Puts a list that holds one map of plain values in place of an empty one. */
export function fillList(text: string, pair: Pair, item: Readonly<Record<string, Plain>>): string {
  const [keyStart] = rangeOf(pair.key);
  const [start, end] = rangeOf(pair.value);
  const block = blockItem(item, columnOf(text, keyStart) + 2).join("\n");
  return `${text.slice(0, start).trimEnd()}\n${block}${text.slice(end)}`;
}

/** Sets a key of a map to a text. */
export function setText(text: string, map: YAMLMap, key: string, value: string): string {
  const found = map.items.find((pair) => isScalar(pair.key) && pair.key.value === key);
  if (found !== undefined) {
    const [start, end] = rangeOf(found.value);
    return `${text.slice(0, start)}${map.flow === true ? flowText(value) : blockText(value)}${text.slice(end)}`;
  }
  if (map.flow === true) return appendFlow(text, map, `${key}: ${flowText(value)}`);
  const indent = " ".repeat(columnOf(text, map.range?.[0] ?? 0));
  return insertLines(text, endOfLine(text, deepEnd(map)), [`${indent}${key}: ${blockText(value)}`]);
}

/** Takes an element out of a list that has others. */
export function removeItem(text: string, seq: YAMLSeq, index: number): string {
  const item = seq.items[index];
  const before = seq.items[index - 1];
  const after = seq.items[index + 1];
  if (!isNode(item)) throw new RangeError(`the list has no element ${String(index)}`);
  if (seq.flow !== true) return cutLines(text, dashBefore(text, rangeOf(item)[0]), deepEnd(item));
  if (isNode(after)) return text.slice(0, rangeOf(item)[0]) + text.slice(rangeOf(after)[0]);
  if (isNode(before)) return text.slice(0, rangeOf(before)[1]) + text.slice(rangeOf(item)[1]);
  return text.slice(0, rangeOf(item)[0]) + text.slice(rangeOf(item)[1]);
}

/** Takes a key and its value out of a map that has others. */
export function removeKey(text: string, map: YAMLMap, pair: Pair): string {
  const [start] = rangeOf(pair.key);
  const end = isNode(pair.value) ? deepEnd(pair.value) : rangeOf(pair.key)[1];
  if (map.flow !== true) return cutLines(text, start, end);
  const index = map.items.indexOf(pair);
  const after = map.items[index + 1];
  const before = map.items[index - 1];
  if (after !== undefined) return text.slice(0, start) + text.slice(rangeOf(after.key)[0]);
  const from = before === undefined ? start : isNode(before.value) ? rangeOf(before.value)[1] : rangeOf(before.key)[1];
  return text.slice(0, from) + text.slice(end);
}

function appendFlow(text: string, collection: YAMLMap | YAMLSeq, added: string): string {
  const [start, end] = rangeOf(collection);
  const last: unknown = collection.items.at(-1);
  if (last === undefined) {
    return `${text.slice(0, start + 1)}${isMap(collection) ? ` ${added} ` : added}${text.slice(end - 1)}`;
  }
  const lastEnd = isPair(last) ? rangeOf(last.value ?? last.key)[1] : rangeOf(last)[1];
  return `${text.slice(0, lastEnd)}, ${added}${text.slice(lastEnd)}`;
}

function blockItem(item: Readonly<Record<string, Plain>>, indent: number): string[] {
  return Object.entries(item).map(([key, value], index) => {
    const lead = `${" ".repeat(indent)}${index === 0 ? "- " : "  "}`;
    return `${lead}${key}: ${typeof value === "string" ? blockText(value) : flowList(value)}`;
  });
}

function flowMap(item: Readonly<Record<string, Plain>>): string {
  const entries = Object.entries(item).map(
    ([key, value]) => `${key}: ${typeof value === "string" ? flowText(value) : flowList(value)}`,
  );
  return `{ ${entries.join(", ")} }`;
}

function flowList(values: readonly string[]): string {
  return `[${values.map(flowText).join(", ")}]`;
}

/** A text as YAML wants it in a block, on one line. */
function blockText(value: string): string {
  return stringify(value, { lineWidth: 0, defaultStringType: "PLAIN", blockQuote: false }).trimEnd();
}

/** A text inside brackets or braces, where ',' and brackets mean something. */
function flowText(value: string): string {
  return /^[A-Za-z0-9/][A-Za-z0-9 ._/*-]*$/.test(value) ? blockText(value) : JSON.stringify(value);
}

/** Where the text of a value ends, without comments and blank lines behind it. */
function deepEnd(node: Node): number {
  if (isCollection(node) && node.flow !== true) {
    const last: unknown = node.items.at(-1);
    const inner = isPair(last) ? (isNode(last.value) ? last.value : last.key) : last;
    if (isNode(inner)) return deepEnd(inner);
  }
  const [start, end] = rangeOf(node);
  return Math.max(start, end);
}

/** Offset of the line after the one in which `offset` lies; the end of the text where there is none. */
function endOfLine(text: string, offset: number): number {
  if (text[offset - 1] === "\n") return offset;
  const newline = text.indexOf("\n", offset);
  return newline < 0 ? text.length : newline + 1;
}

function startOfLine(text: string, offset: number): number {
  return text.lastIndexOf("\n", offset - 1) + 1;
}

function columnOf(text: string, offset: number): number {
  return offset - startOfLine(text, offset);
}

function dashBefore(text: string, offset: number): number {
  return text.lastIndexOf("-", offset - 1);
}

function insertLines(text: string, offset: number, lines: readonly string[]): string {
  const before = text.slice(0, offset);
  return `${before}${before === "" || before.endsWith("\n") ? "" : "\n"}${lines.join("\n")}\n${text.slice(offset)}`;
}

/** Takes whole lines out: from that of `start` to that of `end`, with a comment behind the value. */
function cutLines(text: string, start: number, end: number): string {
  return text.slice(0, startOfLine(text, start)) + text.slice(endOfLine(text, end));
}

function isNode(value: unknown): value is Node {
  return isCollection(value) || isScalar(value) || isSeq(value);
}

function rangeOf(value: unknown): readonly [start: number, end: number] {
  if (isNode(value) && value.range != null) return [value.range[0], value.range[1]];
  throw new RangeError("the value stands nowhere in the text");
}
