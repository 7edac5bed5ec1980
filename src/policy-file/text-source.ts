import { createHash } from "node:crypto";
import { watch } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { MAX_BYTES } from "./yaml-text.ts";

/**
 * A policy's text, and a word that changes with it.
 *
 * @public
 */
export interface PolicyText {
  /** YAML or JSON. */
  readonly text: string;
  /** The same word means the same text, so nothing is parsed again. */
  readonly etag: string;
}

/**
 * Where a policy's text comes from, when that is no file: S3, a parameter store, a service.
 *
 * @public
 */
export interface PolicyTextSource {
  /** Names the source in issues. Default `policy`. */
  readonly name?: string;
  /** The text as it is now; reject when it can't be had. */
  load(): Promise<PolicyText>;
}

/** A source that can tell when to look again. */
export interface WatchedTextSource extends PolicyTextSource {
  /** @returns Ends the watch. */
  watch?(changed: () => void): () => void;
}

/** While a file keeps changing, it is read again after this time. */
const SETTLE_MS = 100;
const MAX_READS = 20;

/** The coarsest tick of a file system's clock, with room to spare. */
const TICK_MS = 3_000;

/** A text with the stamp that its file had when it was read. */
interface ReadText extends PolicyText {
  readonly stamp: string;
}

/** A file, read only when it has come to rest: a text that is still being written isn't taken for a policy. */
export function fileSource(path: string): WatchedTextSource {
  const file = resolve(path);
  let last: ReadText | undefined;

  async function read(): Promise<ReadText> {
    const { size, ino, mtimeMs, ctimeMs } = await stat(file);
    const stamp = [size, ino, mtimeMs, ctimeMs].join();
    // Clocks of file systems tick slowly: a stamp is trusted when it can't change within one tick any more.
    if (stamp === last?.stamp && Date.now() - ctimeMs > TICK_MS) return last;
    // Too large to be read; the parser says so of any text of that size.
    const text = size >= MAX_BYTES ? " ".repeat(MAX_BYTES) : await readFile(file, "utf8");
    return { text, etag: createHash("sha256").update(text).digest("base64url"), stamp };
  }

  return {
    name: path,
    async load() {
      const found = await read();
      // The first text is taken as it is: a program shouldn't start slower for it.
      last = last === undefined || found.etag === last.etag ? found : await settled(read, found);
      return last;
    },
    // The folder, not the file: editors and config maps put another file in its place.
    watch: (changed) => watchFolder(dirname(file), changed),
  };
}

/** Reads until two texts in a row are the same. */
async function settled(read: () => Promise<ReadText>, first: ReadText): Promise<ReadText> {
  let found = first;
  for (let reads = 1; reads < MAX_READS; reads++) {
    await wait(SETTLE_MS);
    const again = await read();
    if (again.etag === found.etag) break;
    found = again;
  }
  return found;
}

function watchFolder(folder: string, changed: () => void): () => void {
  try {
    const watcher = watch(folder, { persistent: false }, changed);
    // The folder went away; polling goes on.
    watcher.on("error", () => watcher.close());
    return () => watcher.close();
  } catch {
    // No watching here (some network and container file systems); polling goes on.
    return () => {};
  }
}
