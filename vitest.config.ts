import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", "examples/**/*.test.ts"],
    exclude: ["node_modules/**", "dist/**", ".cache/**", "test/peers/**", "test/browser/**", "test/stack/**"],
    // The SDK's notice about Node 20 would stand in the output once per file.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
    testTimeout: 20_000,
    hookTimeout: 30_000,
    coverage: {
      provider: "v8",
      include: ["src/**"],
      // Types or names only: nothing to cover.
      exclude: ["src/telemetry/telemetry.ts", "src/body-sealer.ts", "src/envelope/index.ts"],
      reporter: ["text-summary", "json-summary"],
      thresholds: {
        lines: 95,
        functions: 95,
        statements: 95,
        branches: 90,
        "src/policy/**": { 100: true },
        "src/envelope/**": { 100: true },
      },
    },
  },
});
