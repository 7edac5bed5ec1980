import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/stack/**/*.test.ts"],
    // One stack at a time: each is several servers, and machines are small.
    fileParallelism: false,
    // In this process: when it ends, however it ends, the servers that it started end too.
    pool: "threads",
    env: { S3_BUCKET_KEYS_MODE: "", AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
    testTimeout: 120_000,
    // The first run installs in a hook: the Collector alone is built for five minutes on a quiet machine.
    hookTimeout: 1_800_000,
  },
});
