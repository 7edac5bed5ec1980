import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const dist = fileURLToPath(new URL("./dist/", import.meta.url));

export default defineConfig({
  resolve: {
    // What is held against foreign servers is the build that users install, not the sources. The evaluator of
    // policies has no entry of its own, so it is compared as it stands there.
    alias: [{ find: /^(?:\.\.\/)+src\/((?!simulator\/iam\/).*)\.ts$/, replacement: `${dist}$1.js` }],
  },
  test: {
    include: ["test/peers/**/*.test.ts"],
    // One peer at a time: each is a server, and machines are small.
    fileParallelism: false,
    // In this process: when it ends, however it ends, the servers that it started end too.
    pool: "threads",
    env: { S3_BUCKET_KEYS_MODE: "", AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
    testTimeout: 60_000,
    // The first run installs in a hook: MinIO alone is built for five minutes on a quiet machine.
    hookTimeout: 1_800_000,
  },
});
