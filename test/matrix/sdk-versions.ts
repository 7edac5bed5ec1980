/** Both ends of the range of client-s3 that package.json states, and what the older end can't do by itself. */
import { root, npm, type Versions } from "./packages.ts";
import type { KnownFailure } from "./suite.ts";

const PACKAGES = [
  "@aws-sdk/client-s3",
  "@aws-sdk/lib-storage",
  "@aws-sdk/s3-presigned-post",
  "@aws-sdk/s3-request-presigner",
] as const;

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

/** Tests of what came to the SDK later. Each must fail beside the oldest client: one that passes leaves the list. */
export const OLDEST_KNOWN_FAILURES: readonly KnownFailure[] = [
  {
    file: "test/middleware.test.ts",
    test: /writes the nested flag of UpdateObjectEncryption/,
    because: "the operation does not exist there",
  },
  {
    file: "test/middleware.test.ts",
    test: /writes the flag of PutBucketEncryption only when a rule lists it/,
    because: "the client drops BlockedEncryptionTypes, which it does not model",
  },
  {
    file: "test/middleware.test.ts",
    test: /drift when the flag is (false|garbage)/,
    because: "the client itself rejects a flag that is not exactly true or false",
  },
  {
    file: "test/bucket-forms.test.ts",
    test: /an access point of a directory bucket gets nothing/,
    because: "the client knows no access points of directory buckets",
  },
  {
    file: "test/bucket-forms.test.ts",
    test: /when it echoes False/,
    because: "the client itself rejects a flag that is not exactly true or false",
  },
  {
    file: "test/cautions.test.ts",
    test: /sessions of directory buckets keep what the caller wrote/,
    because: "the client models no encryption of sessions",
  },
  {
    file: "test/faults.test.ts",
    test: /an answer whose headers are wrong (False|garbage|nothing|TRUE)/,
    because: "the client itself rejects a flag that is not exactly true or false",
  },
  {
    file: "test/sealing.test.ts",
    test: /RenameObject|PutObjectAnnotation|an object's own encryption|lets no body pass beside|refuses whatever moves a body/,
    because: "RenameObject, PutObjectAnnotation and UpdateObjectEncryption do not exist there",
  },
  {
    file: "test/sealing.test.ts",
    test: /doesn't keep the part's plaintext/,
    because: "the client holds its command where it can't be taken off, for as long as its upload lives",
  },
  {
    file: "test/envelope/end-to-end.test.ts",
    test: /out of reach of PutObjectAnnotation/,
    because: "the operation does not exist there",
  },
  {
    file: "test/transfers.test.ts",
    test: /Upload that is aborted|a stream that breaks/,
    because: "lib-storage leaves the parts of an upload that it gives up",
  },
  {
    file: "test/peers/simulator.test.ts",
    test: /with UpdateObjectEncryption/,
    because: "the operation does not exist there",
  },
];

/** Rooms that see no SDK: the lanes of other Nodes run them, those of other SDKs would only run them again. */
export const WITHOUT_SDK: Readonly<Record<string, string>> = Object.fromEntries(
  ["policy", "policy-file", "observe", "telemetry", "report", "observability", "mutation"].map((room) => [
    `test/${room}/**`,
    "no SDK there",
  ]),
);

/** Test files about what the oldest client does not have at all; printed with the lane. */
export const OLDEST_LEFT_OUT: Readonly<Record<string, string>> = {
  "test/operations.test.ts": "the client exports no operation schemas there",
  "test/metrics-recorder.test.ts": "the client takes no metrics recorder",
  "test/update-object-encryption.test.ts": "the operation does not exist there",
  "test/otel/{spans,line}.test.ts":
    "the instrumentation that they put on can't be taken off that client, and its spans are in every scenario then",
  "test/simulator/**": "the simulator serves requests of today, which that client cannot make",
};
