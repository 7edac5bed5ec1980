import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", "examples/**/*.test.ts"],
    exclude: ["node_modules/**", "dist/**", ".cache/**", "test/peers/**"],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    coverage: {
      provider: "v8",
      include: ["src/**"],
      // Types only: nothing to cover.
      exclude: ["src/telemetry/telemetry.ts", "src/body-sealer.ts"],
      reporter: ["text-summary", "json-summary"],
      thresholds: {
        lines: 95,
        functions: 95,
        statements: 95,
        branches: 90,
        "src/policy/**": { 100: true },
      },
    },
  },
});
