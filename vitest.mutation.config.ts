import { defineConfig } from "vitest/config";

/** The tests that must notice a mutant: those of the two rooms themselves, not of what is built on them. */
export default defineConfig({
  test: {
    include: ["test/{policy,envelope}/**/*.test.ts"],
    // What looks at the clock fails on a busy machine, and that must not pass for a mutant that was noticed.
    exclude: ["test/policy/many-rules.test.ts"],
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
    testTimeout: 20_000,
  },
});
