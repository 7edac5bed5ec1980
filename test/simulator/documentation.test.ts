import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CONTROL_ROUTES } from "../../src/simulator/control.ts";
import { FAULT_ERRORS, FAULT_KINDS } from "../../src/simulator/faults/fault.ts";
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

  it.each(CONTROL_ROUTES)("has the route %s of the control endpoint", (route) => {
    expect(page).toMatch(new RegExp(`^\\| \`${route}[\`?]`, "m"));
  });

  it.each(FAULT_KINDS)("has the fault %s", (kind) => {
    expect(page).toMatch(new RegExp(`^\\| \`${kind}\` \\|`, "m"));
  });

  it.each(Object.entries(FAULT_ERRORS))("has the error %s and its status", (code, { status }) => {
    expect(page).toContain(`\`${code}\` (${status})`);
  });

  it("says that the numbers are simulated", () => {
    expect(page).toContain("Every KMS number and every CloudTrail event it gives is simulated");
  });
});
