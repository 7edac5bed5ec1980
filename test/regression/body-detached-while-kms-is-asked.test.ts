/** A body whose memory was transferred while KMS was asked was stored as an empty object. */
import { expect, it } from "vitest";
import { type BytesBody, seal } from "../../src/envelope/index.ts";
import { fakeKeyring, World } from "../envelope/world.ts";

/** Of Node 20, but not of the types. */
type ResizableBuffer = ArrayBuffer & { resize(bytes: number): void };

const CHANGES: readonly [string, () => { body: BytesBody; change: () => unknown }][] = [
  [
    "transferred",
    () => {
      const body = new Uint8Array(1000);
      return { body, change: () => structuredClone(body.buffer, { transfer: [body.buffer] }) };
    },
  ],
  [
    "resized",
    () => {
      const buffer: ResizableBuffer = Reflect.construct(ArrayBuffer, [1000, { maxByteLength: 2000 }]);
      const body = new Uint8Array(buffer);
      return { body, change: () => buffer.resize(1001) };
    },
  ],
];

it.each(CHANGES)("a body that is %s meanwhile is refused, and nothing is sent", async (_, make) => {
  const refusal = {
    problem: "body",
    message: expect.stringContaining("The body had 1000 bytes when it was given"),
  };
  for (const how of ["put", "seal"]) {
    const { body, change } = make();
    const keyring = fakeKeyring();
    const generate = keyring.generate.bind(keyring);
    const world = new World({ keyring: { ...keyring, generate: (...ask) => (change(), generate(...ask)) } });
    const call = how === "put" ? world.put("k", body) : seal(world.sealer, body);
    await expect(call).rejects.toMatchObject(refusal);
    expect(world.requests).toEqual([]);
  }
});
