import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Shelf } from "../../src/envelope/shelf.ts";

interface Box {
  readonly name: string;
  readonly heapBytes: number;
}

describe("Shelf", () => {
  it("is empty at first", () => {
    const shelf = new Shelf<Box>(10);
    expect(shelf.size).toBe(0);
    expect(shelf.oldest()).toBeUndefined();
    expect(shelf.overfull).toBe(false);
    expect(shelf.use("a")).toBeUndefined();
    expect(shelf.peek("a")).toBeUndefined();
    expect(shelf.all()).toEqual([]);
  });

  it("is overfull above its bytes, not at them", () => {
    const shelf = new Shelf<Box>(10);
    shelf.add("a", { name: "a", heapBytes: 10 });
    expect(shelf.overfull).toBe(false);
    shelf.add("b", { name: "b", heapBytes: 1 });
    expect(shelf.overfull).toBe(true);
    shelf.remove("a");
    expect(shelf.overfull).toBe(false);
  });

  it("knows the one unused for longest, whatever is done in whatever order", () => {
    const step = fc.tuple(fc.constantFrom("use", "add", "remove"), fc.constantFrom("a", "b", "c", "d", "e"));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const shelf = new Shelf<Box>(3);
        let model: string[] = [];
        for (const [what, name] of steps) {
          const known = model.includes(name);
          const expected = known ? { name, heapBytes: 1 } : undefined;
          expect(shelf.peek(name)).toEqual(expected);
          const used = what === "use" ? shelf.use(name) : expected;
          expect(used).toEqual(expected);
          if (what === "use" && known) model = [...model.filter((other) => other !== name), name];
          if (what === "add" && !known) {
            shelf.add(name, { name, heapBytes: 1 });
            model.push(name);
          }
          if (what === "remove" && known) {
            shelf.remove(name);
            model = model.filter((other) => other !== name);
          }
          expect(shelf.oldest()?.name).toBe(model[0]);
          expect(shelf.size).toBe(model.length);
          expect(shelf.overfull).toBe(model.length > 3);
          expect(
            shelf
              .all()
              .map((box) => box.name)
              .toSorted(),
          ).toEqual(model.toSorted());
        }
      }),
    );
  });
});
