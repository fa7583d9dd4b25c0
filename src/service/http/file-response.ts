// Symbol.for: a bundle may carry another copy of this module, and its answers are answers too.
const brand: unique symbol = Symbol.for("dragoman.file-response");

export interface FileResponseOptions {
  /** What the client is to call it. Default: the file's own name. */
  readonly name?: string;
  /** Its content type. Default: by the name's ending. */
  readonly type?: string;
  /** True asks the client to save it rather than to show it. Default false. */
  readonly download?: boolean;
}

/** A file as a service's answer. */
export interface FileResponse extends FileResponseOptions {
  readonly [brand]: true;
  readonly path: string;
}

/**
 * Answers with a file of the server's disk: `return fileResponse("/data/report.pdf")`. It is sent
 * as it is read, with its length, `Last-Modified` and `ETag`; conditional requests and ranges are
 * answered. A file that is not there is an answer of 404. Never make the path of what a client sent
 * without looking at it.
 */
export function fileResponse(path: string, options: FileResponseOptions = {}): FileResponse {
  return { ...options, path, [brand]: true };
}

/** True for what any copy of this module made. */
export function isFileResponse(value: object): value is FileResponse {
  return brand in value;
}
