import { createReadStream, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { fileStreamBytes } from "../../src/envelope/body-length.ts";
import { drain } from "./chunkings.ts";

const folder = mkdtempSync(join(tmpdir(), "body-length-"));
const file = join(folder, "file");
writeFileSync(file, "0123456789");
afterAll(() => rmSync(folder, { recursive: true }));

describe("the length of a file's stream", () => {
  it.each([
    [{}, 10],
    [{ start: 4 }, 6],
    [{ end: 3 }, 4],
    [{ start: 2, end: 3 }, 2],
    [{ start: 8, end: 30 }, 2],
    [{ start: 10 }, 0],
    [{ start: 11 }, 0],
  ])("counts %j, and is what's read", async (span, expected) => {
    const stream = createReadStream(file, span);
    expect(fileStreamBytes(stream)).toBe(expected);
    expect((await drain(stream)).bytes).toHaveLength(expected);
  });

  it("is known of an open file, whatever the path says", async () => {
    const stream = createReadStream("nowhere", { fd: openSync(file, "r"), start: 1 });
    expect(fileStreamBytes(stream)).toBe(9);
    expect((await drain(stream)).bytes).toHaveLength(9);
  });

  it("isn't known of other streams and bodies", () => {
    for (const body of [undefined, "text", new Blob(["text"]).stream(), { path: file, fd: null }]) {
      expect(fileStreamBytes(body)).toBeUndefined();
    }
  });

  it("isn't known of what isn't a regular file", () => {
    const stream = createReadStream("/dev/null");
    expect(fileStreamBytes(stream)).toBeUndefined();
    stream.destroy();
  });

  it("isn't known once something was read, or with an encoding", async () => {
    const read = createReadStream(file);
    await drain(read);
    expect(fileStreamBytes(read)).toBeUndefined();
    const encoded = createReadStream(file, "hex");
    expect(fileStreamBytes(encoded)).toBeUndefined();
    await drain(encoded as never);
  });

  it("is left to the reading of a file that isn't there", async () => {
    const stream = createReadStream(join(folder, "missing"));
    expect(fileStreamBytes(stream)).toBeUndefined();
    expect((await drain(stream)).error).toMatchObject({ code: "ENOENT" });
  });
});
