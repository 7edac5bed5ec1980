import { describe, expect, it } from "vitest";
import { seal } from "../../src/envelope/index.ts";
import { World } from "./world.ts";

/** What type declarations for ES2023 leave out, and Node 20 has. */
type Resizable = ArrayBuffer & { resize(length: number): void };

/** Eight bytes in memory that can grow and shrink. */
const resizable = (): Resizable => Reflect.construct(ArrayBuffer, [8, { maxByteLength: 100 }]) as Resizable;

describe("a body whose memory changes while KMS is asked", () => {
  it.each<[string, number, (buffer: Resizable) => unknown]>([
    ["is transferred", 0, (buffer) => structuredClone(buffer, { transfer: [buffer] })],
    ["shrinks", 7, (buffer) => buffer.resize(7)],
    ["grows", 9, (buffer) => buffer.resize(9)],
  ])("is refused when it %s, and makes no object", async (_, found, change) => {
    const refusal = {
      code: "ERR_BUCKET_KEY_ENVELOPE_REFUSED",
      problem: "body",
      message:
        `The body had 8 bytes when it was given, and ${found} when it was to be sealed: don't transfer or resize its ` +
        "buffer before the call has ended. No object was made.",
    };
    const world = new World();
    const stored = resizable();
    const put = world.put("k", new Uint8Array(stored));
    change(stored);
    await expect(put).rejects.toMatchObject(refusal);
    expect(world.requests).toEqual([]);

    const given = resizable();
    const sealed = seal(world.sealer, new Uint8Array(given));
    change(given);
    await expect(sealed).rejects.toMatchObject(refusal);
  });
});

describe("a body that isn't as long as declared", () => {
  it.each<[string, () => unknown]>([
    ["bytes", () => "four"],
    ["a stream", () => new Blob(["four"]).stream()],
  ])("is refused with what can be done about it: %s", async (_, body) => {
    const world = new World();
    await expect(world.put("k", body(), { ContentLength: 5 })).rejects.toMatchObject({
      problem: "body",
      message:
        "The body was declared to have 5 bytes, but has 4. Correct ContentLength, or leave it out where the SDK can do " +
        "without. No object was made.",
    });
    expect(world.objects.size).toBe(0);
  });
});
