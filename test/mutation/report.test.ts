import { describe, expect, it } from "vitest";
import { formatReport, mutantsOf, roomsBelow } from "./report.ts";

function file(...statuses: readonly string[]) {
  const found = {
    mutatorName: "BlockStatement",
    replacement: "{\n  }",
    location: { start: { line: 12, column: 3 } },
  };
  return { mutants: statuses.map((status) => ({ ...found, status })) };
}

const mutants = mutantsOf({
  files: {
    "src/policy/a.ts": file("Killed", "Timeout", "Survived"),
    "src/policy/deep/b.ts": file("NoCoverage"),
    "src/envelope/c.ts": file("Killed", "RuntimeError"),
    "src/envelope/d.ts": file("Ignored"),
  },
});

describe("the report of a mutation run", () => {
  it("shows survivors with their place, then scores by file, then by room", () => {
    expect(formatReport(mutants).split("\n")).toEqual([
      "Survived  src/policy/a.ts:12:3  BlockStatement  { }",
      "NoCoverage  src/policy/deep/b.ts:12:3  BlockStatement  { }",
      "100.0 %  src/envelope/c.ts  (1 of 1 noticed)",
      "100.0 %  src/envelope/d.ts  (0 of 0 noticed)",
      " 66.7 %  src/policy/a.ts  (2 of 3 noticed)",
      "  0.0 %  src/policy/deep/b.ts  (0 of 1 noticed)",
      "100.0 %  src/envelope/  (1 of 1 noticed)",
      " 50.0 %  src/policy/  (2 of 4 noticed)",
    ]);
  });

  it("names the rooms below a bar; one that meets it exactly isn't", () => {
    expect(roomsBelow(mutants, 50)).toEqual([]);
    expect(roomsBelow(mutants, 50.1)).toEqual(["src/policy/"]);
  });
});
