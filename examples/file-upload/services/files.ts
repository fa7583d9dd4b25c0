import { defineService, fileResponse, type ServiceContext, ServiceError, z } from "dragoman";
import { FileStore } from "../lib/file-store.ts";

/** Becomes the name of a file on our disk: nothing that leads anywhere else. */
const name = z.string().max(100).regex(/^[\w][\w. -]*$/, "Use letters, digits, dots and dashes");
const stored = z.object({ name, sizeBytes: z.int(), sha256: z.string() });

/** A form with a file, as browsers send it. Larger files are on disk, not in memory. */
export const uploadForm = defineService({
  name: "files.upload-form",
  description: "Stores a file that a form brings",
  input: z.object({
    file: z.file().min(1).max(100_000_000),
    note: z.string().max(1_000).default(""),
  }),
  output: stored,
  async handle(ctx) {
    const { input: { file, note }, log } = ctx;
    const saved = await storeOf(ctx).store(checkedName(file.name), file.stream());
    log.info("File stored", { ...saved, note });
    return saved;
  },
});

/** The body is the file: it goes to disk while it arrives, however large it is. */
export const uploadStream = defineService({
  name: "files.upload-stream",
  description: "Stores the body under the name in the path",
  input: z.object({ name }),
  output: stored,
  streamBody: true,
  async handle(ctx) {
    const { input, request: { body } } = ctx;
    if (body === undefined) throw new ServiceError(400, "Send the file as the body");
    return await storeOf(ctx).store(input.name, body);
  },
});

/** Answers conditional requests and ranges, so that a download that broke off can go on. */
export const download = defineService({
  name: "files.download",
  description: "Sends a file",
  input: z.object({ name }),
  handle: (ctx) => fileResponse(storeOf(ctx).path(ctx.input.name), { download: true }),
});

export const list = defineService({
  name: "files.list",
  description: "Lists files",
  output: z.object({ files: z.array(stored.omit({ sha256: true })) }),
  handle: async (ctx) => ({ files: await storeOf(ctx).list() }),
});

function storeOf({ config }: ServiceContext): FileStore {
  return new FileStore(String(config("files").values["directory"]));
}

function checkedName(given: string): string {
  const { data, error } = name.safeParse(given);
  if (data === undefined) {
    throw new ServiceError(400, "The file's name is not usable", { cause: error });
  }
  return data;
}
