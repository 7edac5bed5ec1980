/** Lengths of streams that can be told without reading them. */
import { fstatSync, ReadStream, statSync } from "node:fs";

/**
 * How many bytes a file's stream will give, counting `start` and `end`; `undefined` for other streams, for what isn't
 * a regular file, and where an encoding changes the bytes. A hint: the file may change before it's read.
 */
export function fileStreamBytes(body: unknown): number | undefined {
  if (!(body instanceof ReadStream) || body.readableDidRead || body.readableEncoding !== null) return;
  const { path, fd, start = 0, end = Infinity } = body as ReadStream & FileSpan;
  try {
    const stats = fd === null ? statSync(path) : fstatSync(fd);
    return stats.isFile() ? Math.max(0, Math.min(stats.size, end + 1) - start) : undefined;
  } catch {
    // A file that isn't there says so when it's read.
    return undefined;
  }
}

/** What Node's type declarations leave out of a `ReadStream`. */
interface FileSpan {
  readonly fd: number | null;
  readonly start?: number;
  readonly end?: number;
}
