import { describe, expect, it } from "vitest";
import { classify } from "../../src/envelope/classify.ts";
import {
  classifyWithInstruction,
  instructionFileKey,
  mayHaveInstructionFile,
} from "../../src/envelope/instruction-file.ts";
import { only, V1, V2, V2_CBC, V3, V3_RAW_KEY, without } from "./envelope-samples.ts";

type Values = Readonly<Record<string, string>>;

const IN_OBJECT = ["x-amz-c", "x-amz-d", "x-amz-i"];
const V3_OBJECT = only(V3, ...IN_OBJECT);
const V3_FILE = without(V3, ...IN_OBJECT);

const read = (metadata: Values | undefined, file: unknown): ReturnType<typeof classify> =>
  classifyWithInstruction(metadata, typeof file === "string" ? file : JSON.stringify(file));

describe("an instruction file", () => {
  it("lies beside its object", () => {
    expect(instructionFileKey("a/b.txt")).toBe("a/b.txt.instruction");
    expect(instructionFileKey("a/b.txt", ".key")).toBe("a/b.txt.key");
  });

  it.each<[string, Values | undefined, Values, Values]>([
    ["V3", V3_OBJECT, V3_FILE, V3],
    ["V3 with a raw key", only(V3_RAW_KEY, ...IN_OBJECT), without(V3_RAW_KEY, ...IN_OBJECT), V3_RAW_KEY],
    ["V3 beside the caller's metadata", { ...V3_OBJECT, owner: "team" }, V3_FILE, V3],
    ["V3 with empty values in the file", V3_OBJECT, { ...V3_FILE, "x-amz-c": "", "x-amz-m": "" }, V3],
    ["V2", {}, V2, V2],
    ["V2 without any metadata", undefined, V2, V2],
    ["V2 of CBC", {}, V2_CBC, V2_CBC],
    ["V1", {}, V1, V1],
    ["V1 with the caller's metadata", { owner: "team" }, V1, V1],
    ["V1 with names in another case", {}, { ...without(V1, "x-amz-key"), "X-Amz-Key": V1["x-amz-key"] }, V1],
    ["V1 with names of nobody's in the file", {}, { ...V1, note: "x" }, V1],
    [
      "V1 with the plaintext's length in the object",
      { "x-amz-unencrypted-content-length": "5" },
      V1,
      { ...V1, "x-amz-unencrypted-content-length": "5" },
    ],
  ])("completes %s", (_, metadata, file, whole) => {
    expect(mayHaveInstructionFile(metadata)).toBe(true);
    expect(read(metadata, file)).toEqual(classify(whole));
    expect(classify(whole).format).toMatch(/^v[123]$/);
  });

  it("gives way to the object where both note the plaintext's length", () => {
    const file = { ...V1, "x-amz-unencrypted-content-length": "6" };
    const noted = { "x-amz-unencrypted-content-length": "5" };
    expect(read(noted, file)).toMatchObject({ format: "v1", envelope: { unencryptedBytes: 5 } });
    expect(read({}, file)).toMatchObject({ format: "v1", envelope: { unencryptedBytes: 6 } });
  });

  it("may lie in any encoding that a header may", () => {
    const described = { ...V1, "x-amz-matdesc": '{"name":"caf\u00e9 \u2192"}' };
    expect(read({}, described)).toMatchObject({ envelope: { description: { name: "café →" } } });
  });

  it.each<[string, Values, unknown]>([
    ["isn't JSON", {}, "x-amz-key=1"],
    ["is empty", {}, ""],
    ["holds nothing", {}, {}],
    ["holds nothing of V3", V3_OBJECT, {}],
    ["is a list", {}, [V2]],
    ["isn't flat", {}, { ...V2, "x-amz-matdesc": {} }],
    ["holds a number", {}, { ...V2, "x-amz-tag-len": 128 }],
    ["holds a name twice", {}, { ...V2, "X-Amz-Iv": V2["x-amz-iv"] }],
    ["is incomplete", {}, without(V2, "x-amz-iv")],
    ["is incomplete for V3", V3_OBJECT, without(V3_FILE, "x-amz-w")],
    ["brings the whole of V3, for an object that has nothing", {}, V3],
    ["brings what must be in the object, for an object that has it", V3_OBJECT, V3],
    ["brings the suite", V3_OBJECT, { ...V3_FILE, "x-amz-c": "115" }],
    ["brings the message id", V3_OBJECT, { ...V3_FILE, "x-amz-i": V3["x-amz-i"] }],
    ["brings the commitment", V3_OBJECT, { ...V3_FILE, "x-amz-d": V3["x-amz-d"] }],
    ["brings the commitment of a V2 object", {}, { ...V2, "x-amz-d": V3["x-amz-d"] }],
    ["brings only what must be in the object", {}, V3_OBJECT],
    ["brings V2 for an object of V3", V3_OBJECT, V2],
    ["brings V1 for an object of V3", V3_OBJECT, V1],
    ["brings a part of V3 for an object that has nothing", {}, V3_FILE],
    ["mixes V2 and V3", {}, { ...V2, "x-amz-w": "12" }],
    ["mixes V1 and V2", {}, { ...V2, ...V1 }],
  ])("damages its object when it %s", (_, metadata, file) => {
    expect(read(metadata, file)).toEqual({ format: "damaged" });
  });

  it.each(Object.keys(V2))("damages its object when that holds %s itself", (name) => {
    expect(mayHaveInstructionFile(only(V2, name))).toBe(false);
    expect(read(only(V2, name), V2)).toEqual({ format: "damaged" });
    expect(read(only(V2, name), without(V2, name))).toEqual({ format: "damaged" });
  });

  it.each<[string, Values]>([
    ["V3", V3],
    ["V2", V2],
    ["V1", V1],
    ["a damaged one", without(V3, "x-amz-d")],
    ["a name twice", { ...V3_OBJECT, "X-Amz-C": "115" }],
  ])("is nothing to an object with an envelope of its own: %s", (_, metadata) => {
    expect(mayHaveInstructionFile(metadata)).toBe(false);
    expect(read(metadata, V2)).toEqual({ format: "damaged" });
    expect(read(metadata, V3_FILE)).toEqual({ format: "damaged" });
    expect(read(metadata, {})).toEqual({ format: "damaged" });
  });
});
