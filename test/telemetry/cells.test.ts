import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Cells } from "../../src/telemetry/cells.ts";

const COLOURS = ["red", "green", "blue"];
const SIZES = ["small", "large"];
const SHAPES = ["round", "square", "flat", "_OTHER"];

describe("Cells", () => {
  it("has no entries before anything was counted", () => {
    expect(new Cells(COLOURS, SIZES).entries()).toEqual([]);
  });

  it("counts each combination of words by itself", () => {
    const cells = new Cells(COLOURS, SIZES);
    cells.add("red", "large");
    cells.add("blue", "small");
    cells.add("red", "large");
    expect(cells.entries()).toEqual([
      [["red", "large"], 2],
      [["blue", "small"], 1],
    ]);
  });

  it("counts a word outside its set under the last word of the set", () => {
    const cells = new Cells(COLOURS, SHAPES);
    cells.add("red", "hexagonal");
    cells.add("red", "_OTHER");
    cells.add("red", "constructor");
    expect(cells.entries()).toEqual([[["red", "_OTHER"], 3]]);
  });

  it("counts what a map of every combination would count", () => {
    const words = fc.tuple(
      fc.constantFrom(...COLOURS),
      fc.constantFrom(...SIZES),
      fc.constantFrom(...SHAPES),
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 200 }), (added) => {
        const cells = new Cells(COLOURS, SIZES, SHAPES);
        const plain = new Map<string, number>();
        for (const combination of added) {
          cells.add(...combination);
          const key = combination.join(" ");
          plain.set(key, (plain.get(key) ?? 0) + 1);
        }
        expect(
          new Map(cells.entries().map(([combination, count]) => [combination.join(" "), count])),
        ).toEqual(plain);
      }),
    );
  });
});
