import { describe, expect, it } from "vitest";
import { GoneUploads } from "../../src/envelope/gone-uploads.ts";

describe("uploads that are gone", () => {
  it("are known by name and client, with what became of them", () => {
    const gone = new GoneUploads();
    const [one, other] = [{}, {}];
    gone.add(one, "a", "aborted");
    gone.add(one, "b", "idle");
    gone.add(other, "a", "completed");
    expect([gone.find(one, "a"), gone.find(one, "b"), gone.find(one, "c")]).toEqual([
      "aborted",
      "idle",
      undefined,
    ]);
    expect([gone.find(other, "a"), gone.find(other, "b"), gone.find({}, "a")]).toEqual([
      "completed",
      undefined,
      undefined,
    ]);
  });

  it("are forgotten one at a time, at one client", () => {
    const gone = new GoneUploads();
    const [one, other] = [{}, {}];
    for (const scope of [one, other]) for (const name of ["a", "b"]) gone.add(scope, name, "idle");
    gone.forget(one, "a");
    gone.forget({}, "b");
    expect([gone.find(one, "a"), gone.find(one, "b"), gone.find(other, "a")]).toEqual([
      undefined,
      "idle",
      "idle",
    ]);
  });

  it("are 10,000 of a fate and client: the oldest gives way, to none of another fate", () => {
    const gone = new GoneUploads();
    const [one, other] = [{}, {}];
    gone.add(one, "idle-1", "idle");
    gone.add(other, "other", "completed");
    for (let i = 0; i < 10_000; i++) gone.add(one, `done-${i}`, "completed");
    expect(gone.find(one, "done-0")).toBe("completed");
    gone.add(one, "done-9999", "completed");
    expect(gone.find(one, "done-0")).toBe("completed");
    gone.add(one, "last", "completed");
    expect(["done-0", "done-1", "last", "idle-1"].map((name) => gone.find(one, name))).toEqual([
      undefined,
      "completed",
      "completed",
      "idle",
    ]);
    expect(gone.find(other, "other")).toBe("completed");
  });
});
