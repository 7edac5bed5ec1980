import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ACTIONS } from "../../src/simulator/kms/actions.ts";
import { ROWS, UNKNOWN_ROWS } from "../../src/simulator/s3/encryption.ts";
import { OPERATIONS } from "../../src/simulator/s3/routes.ts";

const page = readFileSync(new URL("../../docs/simulator.md", import.meta.url), "utf8");

describe("docs/simulator.md", () => {
  it.each([...new Set(ROWS.map(({ id }) => id)), "R29"])("has the row %s", (id) => {
    expect(page).toMatch(new RegExp(`^\\| ${id} \\|`, "m"));
  });

  it.each(UNKNOWN_ROWS)("names the option for the unknown row %s", (row) => {
    expect(page).toContain(`unknownRows.${row}`);
  });

  it.each(Object.keys(ACTIONS))("names the KMS operation %s", (action) => {
    expect(page.match(/^\| KMS \|.*$/m)?.[0]).toMatch(new RegExp(`\\b${action}\\b`));
  });

  it.each(OPERATIONS)("names the operation %s, once", (operation) => {
    const table = page.slice(page.indexOf("## Operations"), page.indexOf("| bodies |"));
    expect(table.match(new RegExp(`\\b${operation}\\b`, "g"))).toHaveLength(1);
  });

  it("says that the numbers are simulated", () => {
    expect(page).toContain("Every KMS number and every CloudTrail event it gives is simulated");
  });
});
