import { z } from "zod";

/** Topics that one connection may have joined at the same time. */
export const topicsMax = 100;

const topicLengthMax = 200;

/** A pattern of topics: `*` stands for one character or more. */
export const topicPattern = z.string().min(1).max(topicLengthMax).regex(
  /^[^\s*]*(\*[^\s*]*){0,3}$/,
  "A pattern of topics has no spaces, and at most three *",
);

/** Whether a text can be the name of a topic. */
export function isTopic(text: unknown): text is string {
  return typeof text === "string" && text.length <= topicLengthMax && /^[^\s*]+$/.test(text);
}

/** Tells topics that fit one of the patterns. */
export function compileTopics(patterns: readonly string[]): (topic: string) => boolean {
  const expressions = patterns.map((pattern) =>
    new RegExp(`^${pattern.split("*").map((part) => RegExp.escape(part)).join("[^]+")}$`)
  );
  return (topic) => expressions.some((expression) => expression.test(topic));
}
