import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { Arguments, Context, Next } from "../src/call.ts";
import { bucketKeys, type Outcome, type Policy, type PolicySource } from "../src/index.ts";
import { checkPolicy } from "../src/policy/validate.ts";
import { FLAG, KEY_ID, SSE } from "./support/stub-client.ts";

const KEYS = ["a", "b"].map(
  (c) => `arn:aws:kms:eu-west-1:111122223333:key/${c.repeat(8)}-12ab-34cd-56ef-1234567890ab`,
);
const silent = { warn: () => {} };

type Middleware = (next: Next, context: Context) => Next;

interface Request {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly presigning: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

/** A plugin whose middleware is called as the SDK would; tells what one request came to. */
function wear(policy: Policy | PolicySource): (request: Request) => Promise<unknown> {
  let outcomes: Outcome[] = [];
  let middleware: Middleware | undefined;
  const telemetry = { attach: () => () => {}, record: (outcome: Outcome) => void outcomes.push(outcome) };
  bucketKeys({ policy, telemetry, logger: silent }).applyToStack({
    add: (added: Middleware) => (middleware = added),
    remove: () => false,
    identify: () => [],
  });
  return async ({ operation, input, presigning, headers }) => {
    outcomes = [];
    let sent: unknown;
    const next: Next = (args) => {
      sent = args.input;
      return Promise.resolve({ output: {}, response: presigning ? {} : { statusCode: 200, headers } });
    };
    const args: Arguments & { middlewareStack?: object } = presigning
      ? { input }
      : { input, middlewareStack: {} };
    const context = { clientName: "S3Client", commandName: `${operation}Command` };
    const refused = await (middleware as Middleware)(
      next,
      context,
    )(args).then(
      () => undefined,
      (error: { why?: unknown }) => error.why,
    );
    return { sent, refused, outcomes };
  };
}

const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

function present<T extends object>(record: T): T {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T;
}

const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

const some = <T>(...items: T[]): fc.Arbitrary<T[] | undefined> =>
  rarely(fc.array(fc.constantFrom(...items), { minLength: 1, maxLength: 2 }));

const match = fc
  .record({
    buckets: some("acme", "acme-*", "*-lake", "*"),
    prefixes: rarely(fc.constantFrom(["a/"], ["b/", ""])),
    keys: rarely(fc.constantFrom(["*.gz"], ["a/*"])),
    operations: some("PutObject", "CreateMultipartUpload", "CopyObject", "UpdateObjectEncryption"),
    sse: some("aws:kms", "AES256", "unset"),
    kmsKeys: some(...KEYS, "alias/*"),
    bucketType: some("general-purpose", "directory"),
  })
  .map(present);

const settings = {
  bucketKey: optional(fc.constantFrom("on", "off", "leave")),
  mode: optional(fc.constantFrom("enforce", "audit", "off")),
  whenSseUnset: optional(fc.constantFrom("leave", "send")),
  onUnproven: optional(fc.constantFrom("pass", "strip", "refuse")),
  presigned: optional(fc.constantFrom("skip", "header", "refuse")),
};

const rule = fc
  .record({
    ...settings,
    match: optional(match),
    except: optional(match.filter((fields) => Object.keys(fields).length > 0)),
    kmsKey: optional(fc.constantFrom(...KEYS)),
    onConflict: optional(fc.constantFrom("override", "keep-caller", "refuse")),
    onKeyConflict: optional(fc.constantFrom("override", "keep-caller", "refuse")),
    expires: rarely(fc.constant("2020-01-31")),
  })
  .map(present);

const policies = fc
  .record({
    defaults: optional(fc.record(settings).map(present)),
    rules: fc
      .array(rule, { maxLength: 4 })
      .map((rules) => rules.map((r, i) => ({ id: `r${i}`, reason: "x", ...r }))),
  })
  .map((parts) => present({ version: 1, ...parts }) as Policy)
  .filter((policy) => checkPolicy(policy).length === 0);

const request: fc.Arbitrary<Request> = fc.record({
  operation: fc.constantFrom(
    "PutObject",
    "CreateMultipartUpload",
    "CopyObject",
    "UpdateObjectEncryption",
    "UploadPart",
    "GetObject",
    "HeadObject",
  ),
  input: fc
    .record({
      Bucket: fc.constantFrom("acme", "acme-lake", "acme--x-s3"),
      Key: fc.constantFrom("a/1", "b/1", "a/x.gz", "c"),
      ServerSideEncryption: optional(fc.constantFrom("aws:kms", "AES256", "aws:kms:dsse")),
      SSEKMSKeyId: optional(fc.constantFrom(...KEYS, "alias/x")),
      BucketKeyEnabled: optional(fc.constantFrom(true, false, "true")),
      SSECustomerAlgorithm: rarely(fc.constant("AES256")),
      SSEKMSEncryptionContext: rarely(fc.constantFrom("e30=", "")),
      CopySource: rarely(fc.constantFrom("acme/k", "acme--x-s3/k")),
      ObjectEncryption: fc.constantFrom(
        { SSEKMS: { KMSKeyArn: KEYS[0] } },
        { SSEKMS: { KMSKeyArn: KEYS[1], BucketKeyEnabled: true } },
      ),
    })
    .map(present),
  presigning: fc.constantFrom(false, false, false, false, true),
  headers: fc
    .record({
      [SSE]: optional(fc.constantFrom("aws:kms", "AES256")),
      [FLAG]: optional(fc.constantFrom("true", "false")),
      [KEY_ID]: optional(fc.constantFrom(...KEYS)),
      [`${SSE}-customer-algorithm`]: rarely(fc.constant("AES256")),
    })
    .map(present) as fc.Arbitrary<Record<string, string>>,
});

/** One request, and others that differ from it in one member, or in none: the likeliest to be taken for it. */
const alike: fc.Arbitrary<readonly Request[]> = fc
  .tuple(request, fc.array(fc.tuple(request, fc.nat()), { minLength: 5, maxLength: 30, size: "max" }))
  .map(([first, others]) => [first, ...others.map(([other, n]) => withOneOf(other, first, n))]);

function withOneOf(other: Request, first: Request, n: number): Request {
  const outer = ["operation", "presigning", "headers"] as const;
  const inner = [...new Set([...Object.keys(first.input), ...Object.keys(other.input)])];
  const at = n % (outer.length + inner.length);
  const member = outer[at];
  if (member !== undefined) return { ...first, [member]: other[member] };
  const name = inner[at - outer.length] as string;
  return { ...first, input: present({ ...first.input, [name]: other.input[name] }) };
}

describe("a request like an earlier one", () => {
  it("comes to what it would come to as the first one, whatever came before", async () => {
    await fc.assert(
      fc.asyncProperty(policies, alike, async (policy, requests) => {
        const worn = wear(policy);
        for (const one of requests) expect(await worn(one)).toEqual(await wear(policy)(one));
      }),
      { numRuns: 500 },
    );
  }, 60_000);

  const put: Request = {
    operation: "PutObject",
    input: { Bucket: "acme", Key: "k", ServerSideEncryption: "aws:kms" },
    presigning: false,
    headers: { [SSE]: "aws:kms", [FLAG]: "true" },
  };
  const enforcing: Policy = { version: 1, defaults: { bucketKey: "on", mode: "enforce" } };

  it("is decided by the policy that holds by then", async () => {
    let policy: Policy = enforcing;
    let reload: (() => void) | undefined;
    const worn = wear({
      current: () => ({ policy }),
      subscribe(listener) {
        reload = () => listener({ result: "accepted", snapshot: { policy } });
        return () => {};
      },
      close: () => {},
    });
    await worn(put);
    expect(await worn(put)).toMatchObject({ sent: { BucketKeyEnabled: true } });
    policy = { version: 1, defaults: { bucketKey: "off", mode: "enforce" } };
    reload?.();
    expect(await worn(put)).toMatchObject({ sent: { BucketKeyEnabled: false } });
  });

  it("is decided by the rules of the day on which it is sent", async () => {
    const worn = wear({
      version: 1,
      defaults: { mode: "enforce" },
      rules: [{ id: "r", reason: "x", bucketKey: "on", expires: "2027-06-30", onExpiry: "drop" }],
    });
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      vi.setSystemTime("2027-06-30T23:59:59Z");
      expect(await worn(put)).toMatchObject({ outcomes: [{ decision: { rule: "r" } }] });
      vi.setSystemTime("2027-07-01T00:00:00Z");
      expect(await worn(put)).toMatchObject({ outcomes: [{ decision: { rule: "defaults" } }] });
    } finally {
      vi.useRealTimers();
    }
  });

  it("keeps its own key and body, and doesn't touch what the caller gave", async () => {
    const worn = wear(enforcing);
    await worn(put);
    const input = Object.freeze({ ...put.input, Key: "another", Body: "y" });
    expect(await worn({ ...put, input })).toMatchObject({ sent: { ...input, BucketKeyEnabled: true } });
  });

  it("is still known after many kinds of requests, answers and buckets", async () => {
    const worn = wear(enforcing);
    for (let i = 0; i < 1_200; i++) {
      const varied = { ...put.input, Bucket: `acme-${i % 600}`, SSEKMSKeyId: `key-${i % 20}` };
      const headers = { ...put.headers, [KEY_ID]: `key-${i % 20}` };
      expect(await worn({ ...put, input: varied, headers })).toMatchObject({
        sent: { ...varied, BucketKeyEnabled: true },
        outcomes: [{ bucket: varied.Bucket, response: { verdict: "honoured" } }],
      });
    }
    expect(await worn(put)).toMatchObject({ sent: { BucketKeyEnabled: true } });
  });

  it("finds its answers again, however many there were", async () => {
    const worn = wear(enforcing);
    const read = { ...put, operation: "GetObject", input: { Bucket: "acme", Key: "k" } };
    for (let i = 0; i < 40; i++) {
      const headers = { ...put.headers, [KEY_ID]: `key-${i % 20}` };
      expect(await worn({ ...read, headers })).toMatchObject({
        outcomes: [{ response: { kmsKey: `key-${i % 20}`, verdict: "compliant" } }],
      });
    }
  });
});
