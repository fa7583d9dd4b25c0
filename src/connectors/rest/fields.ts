import { isAbsolute } from "node:path";
import { z } from "zod";
import { formatNames } from "../../formats/format.ts";

/** Methods that a channel can take. HEAD is answered for GET, OPTIONS for every path. */
export const restMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

function isUnlike(list: readonly string[]): boolean {
  return new Set(list).size === list.length;
}

export const methodsField = z.array(z.enum(restMethods)).min(1).refine(
  isUnlike,
  "A method stands twice in the list",
);

export const hostField = z.string().max(253).toLowerCase().regex(
  /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/,
  'A host is a name such as "api.example.com" or "*.example.com", without a port',
);

export const acceptField = z.string().max(200).toLowerCase().regex(
  /^[\w.+-]+\/([\w.+-]+|\*)$/,
  'A media type is written "text/csv" or "text/*"',
);

const format = z.enum(formatNames);

export const formatsField = z.array(format).min(1).refine(
  isUnlike,
  "A format stands twice in the list",
);

export const outputField = z.union([
  format,
  z.array(format).min(1).refine(isUnlike, "A format stands twice in the list"),
]);

/** Where an input comes from. */
const inputSources = ["path", "query", "body"] as const;

export type InputSource = typeof inputSources[number];

export const priorityField = z.array(z.enum(inputSources)).length(3).refine(
  isUnlike,
  "A source stands twice in the list",
);

const absolutePath = z.string().min(1).max(4_096).refine(isAbsolute, "The path is not absolute");

const fileName = z.string().min(1).max(1_000).refine(
  (name) => !name.startsWith("/") && !name.split("/").includes(".."),
  "The name must lie below the directory",
);

export const filesField = z.strictObject({
  directory: absolutePath.optional().meta({
    description: "The directory whose files are served; the channel's path ends in {name*}",
    example: "/srv/www",
  }),
  file: absolutePath.optional().meta({
    description: "The one file that is served, instead of a directory",
    example: "/srv/www/robots.txt",
  }),
  index: fileName.default("index.html").meta({
    description: "The file that stands for a directory",
    example: "index.html",
  }),
  cacheControl: z.string().min(1).max(500).regex(/^[\x20-\x7e]+$/).optional().meta({
    description: "Cache-Control of every file; without it, clients ask again each time they like",
    example: "public, max-age=3600",
  }),
  fallback: fileName.optional().meta({
    description: "The file that browsers get for pages that are not there; for applications with " +
      "paths of their own",
    example: "index.html",
  }),
  dotFiles: z.boolean().default(false).meta({
    description: "Whether files and directories whose names begin with a dot are served",
    example: false,
  }),
}).refine(({ directory, file }) => (directory === undefined) !== (file === undefined), {
  error: "Say directory or file, one of both",
});
