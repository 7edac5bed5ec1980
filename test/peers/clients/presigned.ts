import { readFileSync, writeFileSync } from "node:fs";
import type { Order } from "./client.ts";
import { encryptionHeaders, SSE } from "./order.ts";

/** What the headers of an uploader are called in lines. */
const WORDS: Readonly<Record<string, string>> = {
  [SSE]: "algorithm",
  [`${SSE}-aws-kms-key-id`]: "key",
  [`${SSE}-bucket-key-enabled`]: "flag",
};

/** What somebody has who has only URLs, and what comes of using them. */
class Holder {
  readonly lines: string[] = [];

  async send(what: string, url: string, init: RequestInit = {}): Promise<Buffer> {
    const response = await fetch(url, init);
    this.lines.push(`${what}: ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  }
}

/**
 * Writes and reads through the URLs that a client signed: sends what the URL binds, and tries what it does not allow.
 *
 * @throws `Error` when the client signed none.
 */
export async function usePresigned(output: string, order: Order): Promise<readonly string[]> {
  const url = signedUrl(output, "put");
  const bound = new URL(url).searchParams.get("X-Amz-SignedHeaders")?.split(";") ?? [];
  const headers = Object.fromEntries(
    Object.entries(encryptionHeaders(order)).filter(([name]) => bound.includes(name)),
  );
  const words = bound.flatMap((name) => WORDS[name] ?? []);
  const holder = new Holder();
  for (const { from, to } of order.objects) {
    const body = readFileSync(from);
    await holder.send("put without its headers", url, { method: "PUT", body });
    await holder.send("read through the URL for writing", url, { headers });
    await holder.send("put", url, { method: "PUT", body, headers });
    writeFileSync(to, await holder.send("get", signedUrl(output, "get")));
  }
  return [`the URL binds ${words.toSorted().join(" and ")}`, ...holder.lines];
}

/** Reads through the URL that a client signed, and tries to write. @throws `Error` when the client signed none. */
export async function usePresignedRead(output: string, { objects }: Order): Promise<readonly string[]> {
  const url = signedUrl(output, "get");
  const holder = new Holder();
  for (const { to } of objects) {
    await holder.send("write through the URL for reading", url, { method: "PUT", body: "other bytes" });
    writeFileSync(to, await holder.send("get", url));
  }
  return holder.lines;
}

function signedUrl(output: string, operation: "put" | "get"): string {
  const url = new RegExp(`^signed ${operation} (\\S+)`, "m").exec(output)?.[1];
  if (url === undefined) throw new Error(`The client signed no URL to ${operation}:\n${output}`);
  return url;
}
