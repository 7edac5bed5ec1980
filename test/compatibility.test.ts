/** What docs/compatibility.md says of servers and clients is what the suites in test/peers assert. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { withTables } from "./peers/compatibility.ts";

it("the page has the tables of the suites: `npm run test:peers:all -- --write` brings them up to date", () => {
  const page = readFileSync(new URL("../docs/compatibility.md", import.meta.url), "utf8");
  expect(page).toBe(withTables(page));
});

it("a page without a place for the tables is an error", () => {
  expect(() => withTables("# Compatibility\n")).toThrow("no place for the tables");
});
