/** Bodies that fell silent, whatever length was said of them, kept the budget: all other reads waited for good. */
import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { World } from "../envelope/world.ts";

const MIB = 2 ** 20;

it("a small object is read while large ones that were promised don't come", async () => {
  const world = new World();
  await world.put("k", "dear Ada");
  const silent: Readable[] = [];
  world.spoil = (output) => {
    silent.push(new Readable({ read() {} }));
    return { ...output, ContentLength: 64 * MIB, Body: silent.at(-1) };
  };
  const stuck = [1, 2, 3, 4].map(() => world.read("k"));
  await new Promise((resolve) => setImmediate(resolve));
  world.spoil = (output) => output;
  expect(String(await world.read("k"))).toBe("dear Ada");
  for (const body of silent) body.destroy(new Error("gone"));
  await Promise.all(stuck.map((read) => expect(read).rejects.toThrow("gone")));
});
