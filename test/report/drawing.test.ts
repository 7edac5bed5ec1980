import { describe, expect, it } from "vitest";
import { loadPencil, NothingToDrawWith, short } from "../../src/report/drawing.ts";

describe("what draws", () => {
  it("is named with what to install when it isn't there", async () => {
    const missing = Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
    const loading = loadPencil(() => Promise.reject(missing));
    await expect(loading).rejects.toThrow(NothingToDrawWith);
    await expect(loading).rejects.toThrow("npm install --save-dev @observablehq/plot@0.6 linkedom@0.18");
    await expect(loading).rejects.toMatchObject({ cause: missing });
  });

  it("doesn't hide faults of its own", async () => {
    await expect(loadPencil(() => Promise.reject(new Error("bad build")))).rejects.toThrow("bad build");
  });

  it("names no part of a picture: the picture has a name", async () => {
    const pencil = await loadPencil();
    const { markup } = pencil.draw({
      marks: [pencil.plot.barX([{ x: 1 }], { x: "x", ariaDescription: "bars" })],
    });
    expect(markup).toMatch(/^<svg [^>]*viewBox="/);
    expect(markup).not.toContain("aria-label");
    expect(markup).not.toContain("aria-description");
  });
});

describe("a name on an axis", () => {
  it.each([
    ["lake", 4, "lake"],
    ["lakes", 4, "lak…"],
    ["🪣🪣🪣", 2, "🪣…"],
    ["a\u202Eb", 9, "a\uFFFDb"],
  ])("%j is at most %d signs long: %j", (name, most, shown) => {
    expect(short(name, most)).toBe(shown);
  });
});
