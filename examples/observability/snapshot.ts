/** Counts for `npx s3-bucket-keys report`: a line at once, one a minute, and a last one when the program ends. */
import { appendFileSync } from "node:fs";
import { hostname } from "node:os";
import type { BucketKeysPlugin } from "s3-bucket-keys";

export function writeSnapshots(plugin: BucketKeysPlugin, file: string): () => void {
  const instance = `${hostname()}:${process.pid}`;
  const write = (): void =>
    appendFileSync(file, `${JSON.stringify({ time: new Date(), instance, ...plugin.stats() })}\n`);
  // At once: the report takes differences, and a file that can't be written shows now, not at the end.
  write();
  const timer = setInterval(write, 60_000).unref();
  process.once("exit", write);
  return () => {
    clearInterval(timer);
    process.off("exit", write);
    write();
  };
}
