/** Both ends of the range of client-s3 that package.json states, and what the older end can't do by itself. */
import { root, npm, type Versions } from "./packages.ts";
import type { KnownFailure } from "./suite.ts";

const PACKAGES = ["@aws-sdk/client-s3", "@aws-sdk/lib-storage", "@aws-sdk/s3-request-presigner"] as const;

/** The lower end of the peer range. */
export const OLDEST: Versions = Object.fromEntries(PACKAGES.map((name) => [name, "3.540.0"]));

/** What npm hands to whoever installs today. */
export async function newestVersions(): Promise<Versions> {
  const versions: Record<string, string> = {};
  for (const name of PACKAGES) {
    const answer = await npm(root, ["view", name, "version"], "npm-view");
    versions[name] = answer.trim();
  }
  return versions;
}

/** Tests of what came to the SDK later. Each must fail beside the oldest client: a test that passes leaves the list. */
export const OLDEST_KNOWN_FAILURES: readonly KnownFailure[] = [
  {
    file: "test/middleware.test.ts",
    test: "an enforcing plugin writes the nested flag of UpdateObjectEncryption",
    because: "the operation does not exist there",
  },
  {
    file: "test/middleware.test.ts",
    test: "an enforcing plugin writes the flag of PutBucketEncryption only when a rule lists it, and keeps key and blocked types",
    because: "BlockedEncryptionTypes is not modelled there, and the client drops what it does not model",
  },
  {
    file: "test/middleware.test.ts",
    test: "answers to an enforced write drift when the flag is false",
    because: "the client itself rejects a flag that is not exactly true or false",
  },
  {
    file: "test/middleware.test.ts",
    test: "answers to an enforced write drift when the flag is garbage",
    because: "the client itself rejects a flag that is not exactly true or false",
  },
];

/** Test files about what the oldest client does not have at all; printed with the lane. */
export const OLDEST_LEFT_OUT: Readonly<Record<string, string>> = {
  "test/operations.test.ts": "the client exports no operation schemas there",
};
