/** R1 to R30, each row by its id, for every operation that it holds for. */
import type {
  PutObjectCommandInput,
  PutObjectCommandOutput,
  S3,
  ServerSideEncryptionRule,
} from "@aws-sdk/client-s3";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import fc from "fast-check";
import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import {
  decideEncryption,
  ROWS,
  UNKNOWN_ROWS,
  type Encrypts,
  type WriteFacts,
} from "../../src/simulator/s3/encryption.ts";
import { S3Error } from "../../src/simulator/s3/s3-error.ts";
import type { UnknownRows } from "../../src/simulator/index.ts";
import { errorOf, managedKeyArn, newBucket, stockClient, withSimulator } from "./support.ts";

type Asked = Partial<
  Pick<PutObjectCommandInput, "ServerSideEncryption" | "SSEKMSKeyId" | "BucketKeyEnabled">
> & {
  readonly SSECustomerAlgorithm?: string;
  readonly SSECustomerKey?: string;
};
type Default = "SSE-S3" | "aws/s3" | "CMK" | "DSSE";
interface Case {
  readonly row: string;
  readonly says: string;
  readonly asked: Asked;
  readonly bucket: Default | `${Default} + flag`;
  /** Set when the row is unknown on AWS. */
  readonly picks?: "ignore";
  readonly becomes?: { sse?: string; key?: "A" | "B" | "aws/s3"; flag?: true };
  readonly refused?: { status: number; code: string; message: string };
}

const KEY_A = "key A";
const KEY_B = "key B";
const kms = { ServerSideEncryption: "aws:kms" } as const;
const dsse = { ServerSideEncryption: "aws:kms:dsse" } as const;
const plain = { ServerSideEncryption: "AES256" } as const;
const on = { BucketKeyEnabled: true } as const;
const off = { BucketKeyEnabled: false } as const;
const named = { SSEKMSKeyId: KEY_B } as const;
const customer = {
  SSECustomerAlgorithm: "AES256",
  SSECustomerKey: "0123456789abcdef0123456789abcdef",
} as const;

const AES = { sse: "AES256" } as const;
const MIXED = {
  status: 400,
  code: "InvalidArgument",
  message:
    "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
};
const NEEDS_KMS = {
  status: 400,
  code: "InvalidArgument",
  message:
    "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
};

const CASES: readonly Case[] = [
  { row: "R1", says: "silent", asked: {}, bucket: "SSE-S3", becomes: AES },
  {
    row: "R2",
    says: "silent; a bucket key without SSE-KMS is inert",
    asked: {},
    bucket: "SSE-S3 + flag",
    becomes: AES,
  },
  {
    row: "R3",
    says: "silent",
    asked: {},
    bucket: "CMK + flag",
    becomes: { sse: "aws:kms", key: "A", flag: true },
  },
  {
    row: "R4",
    says: "silent",
    asked: {},
    bucket: "aws/s3 + flag",
    becomes: { sse: "aws:kms", key: "aws/s3", flag: true },
  },
  { row: "R5", says: "silent", asked: {}, bucket: "CMK", becomes: { sse: "aws:kms", key: "A" } },
  { row: "R5", says: "silent", asked: {}, bucket: "aws/s3", becomes: { sse: "aws:kms", key: "aws/s3" } },
  {
    row: "R6",
    says: "only the flag",
    asked: on,
    bucket: "CMK",
    becomes: { sse: "aws:kms", key: "A", flag: true },
  },
  {
    row: "R6",
    says: "only the flag",
    asked: on,
    bucket: "aws/s3",
    becomes: { sse: "aws:kms", key: "aws/s3", flag: true },
  },
  { row: "R7", says: "only false", asked: off, bucket: "CMK + flag", becomes: { sse: "aws:kms", key: "A" } },
  { row: "R8", says: "only the flag", asked: on, bucket: "SSE-S3", picks: "ignore", becomes: AES },
  { row: "R8", says: "only false", asked: off, bucket: "SSE-S3 + flag", picks: "ignore", becomes: AES },
  { row: "R9", says: "no key", asked: kms, bucket: "SSE-S3", becomes: { sse: "aws:kms", key: "aws/s3" } },
  {
    row: "R10",
    says: "no key",
    asked: kms,
    bucket: "aws/s3 + flag",
    becomes: { sse: "aws:kms", key: "aws/s3", flag: true },
  },
  {
    row: "R11",
    says: "no key: never the bucket's",
    asked: kms,
    bucket: "CMK + flag",
    becomes: { sse: "aws:kms", key: "aws/s3", flag: true },
  },
  {
    row: "R11",
    says: "no key: never the bucket's",
    asked: kms,
    bucket: "CMK",
    becomes: { sse: "aws:kms", key: "aws/s3" },
  },
  {
    row: "R11",
    says: "no key, false",
    asked: { ...kms, ...off },
    bucket: "CMK + flag",
    becomes: { sse: "aws:kms", key: "aws/s3" },
  },
  {
    row: "R12",
    says: "another key",
    asked: { ...kms, ...named },
    bucket: "CMK + flag",
    becomes: { sse: "aws:kms", key: "B", flag: true },
  },
  {
    row: "R12",
    says: "another key",
    asked: { ...kms, ...named },
    bucket: "CMK",
    becomes: { sse: "aws:kms", key: "B" },
  },
  {
    row: "R13",
    says: "key and flag",
    asked: { ...kms, ...named, ...on },
    bucket: "SSE-S3",
    becomes: { sse: "aws:kms", key: "B", flag: true },
  },
  {
    row: "R13",
    says: "flag, no key",
    asked: { ...kms, ...on },
    bucket: "SSE-S3",
    becomes: { sse: "aws:kms", key: "aws/s3", flag: true },
  },
  {
    row: "R14",
    says: "key and false",
    asked: { ...kms, ...named, ...off },
    bucket: "CMK + flag",
    becomes: { sse: "aws:kms", key: "B" },
  },
  {
    row: "R15",
    says: "key",
    asked: { ...kms, ...named },
    bucket: "SSE-S3 + flag",
    becomes: { sse: "aws:kms", key: "B", flag: true },
  },
  { row: "R16", says: "the request beats the bucket", asked: plain, bucket: "CMK + flag", becomes: AES },
  { row: "R17", says: "true", asked: { ...plain, ...on }, bucket: "SSE-S3", picks: "ignore", becomes: AES },
  {
    row: "R17",
    says: "false",
    asked: { ...plain, ...off },
    bucket: "CMK + flag",
    picks: "ignore",
    becomes: AES,
  },
  {
    row: "R18",
    says: "key",
    asked: { ...dsse, ...named },
    bucket: "CMK + flag",
    becomes: { sse: "aws:kms:dsse", key: "B" },
  },
  {
    row: "R18",
    says: "no key",
    asked: dsse,
    bucket: "SSE-S3",
    becomes: { sse: "aws:kms:dsse", key: "aws/s3" },
  },
  {
    row: "R19",
    says: "key and flag",
    asked: { ...dsse, ...named, ...on },
    bucket: "SSE-S3",
    picks: "ignore",
    becomes: { sse: "aws:kms:dsse", key: "B" },
  },
  {
    row: "R19",
    says: "flag, no key",
    asked: { ...dsse, ...on },
    bucket: "SSE-S3",
    picks: "ignore",
    becomes: { sse: "aws:kms:dsse", key: "aws/s3" },
  },
  { row: "R20", says: "silent", asked: {}, bucket: "DSSE", becomes: { sse: "aws:kms:dsse", key: "A" } },
  {
    row: "R20",
    says: "only the flag",
    asked: on,
    bucket: "DSSE",
    becomes: { sse: "aws:kms:dsse", key: "A" },
  },
  {
    row: "R21",
    says: "no access point for FSx",
    asked: { ServerSideEncryption: "aws:fsx" },
    bucket: "SSE-S3",
    picks: "ignore",
    becomes: { sse: "aws:fsx" },
  },
  {
    row: "R22",
    says: "nobody knows what it means",
    asked: { ServerSideEncryption: "aws:backup" },
    bucket: "CMK + flag",
    picks: "ignore",
    becomes: { sse: "aws:backup" },
  },
  { row: "R23", says: "customer key", asked: customer, bucket: "CMK + flag", becomes: {} },
  {
    row: "R24",
    says: "customer key and flag",
    asked: { ...customer, ...on },
    bucket: "SSE-S3",
    picks: "ignore",
    becomes: {},
  },
  {
    row: "R25",
    says: "customer key and aws:kms",
    asked: { ...customer, ...kms },
    bucket: "SSE-S3",
    refused: MIXED,
  },
  {
    row: "R25",
    says: "customer key and AES256",
    asked: { ...customer, ...plain },
    bucket: "SSE-S3",
    refused: MIXED,
  },
  { row: "R27", says: "key id alone", asked: named, bucket: "CMK + flag", refused: NEEDS_KMS },
  {
    row: "R27",
    says: "key id and AES256",
    asked: { ...plain, ...named },
    bucket: "SSE-S3",
    refused: NEEDS_KMS,
  },
  {
    row: "R28",
    says: "an algorithm that does not exist",
    asked: { ServerSideEncryption: "rot13" as "AES256" },
    bucket: "SSE-S3",
    refused: {
      status: 400,
      code: "InvalidArgument",
      message: "The encryption method specified is not supported",
    },
  },
  {
    row: "R30",
    says: "a flag that is neither true nor false",
    asked: { ...kms, ...named, BucketKeyEnabled: "maybe" as unknown as boolean },
    bucket: "CMK + flag",
    picks: "ignore",
    becomes: { sse: "aws:kms", key: "B", flag: true },
  },
];

type Answered = Pick<PutObjectCommandOutput, "ServerSideEncryption" | "SSEKMSKeyId" | "BucketKeyEnabled">;

const WRITES = {
  PutObject: (s3: S3, Bucket: string, asked: Asked) =>
    s3.putObject({ Bucket, Key: "k", Body: "x", ...asked }),
  CreateMultipartUpload: (s3: S3, Bucket: string, asked: Asked) =>
    s3.createMultipartUpload({ Bucket, Key: "k", ...asked }),
  CopyObject: async (s3: S3, Bucket: string, asked: Asked) => {
    // The source is encrypted in a way of its own, none of which may come along.
    await s3.putObject({ Bucket: "source", Key: "s", Body: "x", ...kms, ...on });
    return s3.copyObject({ Bucket, Key: "k", CopySource: "source/s", ...asked });
  },
  PostObject: postForm,
};

/** A form with the fields of the same meaning; its answer as the SDK would give it. */
async function postForm(s3: S3, Bucket: string, asked: Asked): Promise<Answered> {
  const key = asked.SSECustomerKey === undefined ? undefined : Buffer.from(asked.SSECustomerKey);
  const fields = {
    "": asked.ServerSideEncryption,
    "-aws-kms-key-id": asked.SSEKMSKeyId,
    "-bucket-key-enabled": asked.BucketKeyEnabled?.toString(),
    "-customer-algorithm": asked.SSECustomerAlgorithm,
    "-customer-key": key?.toString("base64"),
    "-customer-key-MD5": key && createHash("md5").update(key).digest("base64"),
  };
  const Fields = Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) =>
      value === undefined ? [] : [[`x-amz-server-side-encryption${name}`, value]],
    ),
  );
  const form = new FormData();
  const presigned = await createPresignedPost(s3, { Bucket, Key: "k", Fields });
  for (const [name, value] of Object.entries(presigned.fields)) form.append(name, value);
  form.append("file", new Blob(["x"]), "k");
  const response = await fetch(presigned.url, { method: "POST", body: form });
  const { status, headers } = response;
  const text = await response.text();
  if (status !== 204) {
    const element = (name: string): string => new RegExp(`<${name}>(.*?)</`).exec(text)?.[1] ?? "";
    const message = element("Message").replaceAll("&quot;", '"');
    throw Object.assign(new Error(message), { name: element("Code"), $metadata: { httpStatusCode: status } });
  }
  const said = (name: string): string | undefined =>
    headers.get(`x-amz-server-side-encryption${name}`) ?? undefined;
  const flag = said("-bucket-key-enabled");
  return {
    ServerSideEncryption: said("") as Answered["ServerSideEncryption"],
    SSEKMSKeyId: said("-aws-kms-key-id"),
    BucketKeyEnabled: flag === undefined ? undefined : flag === "true",
  };
}

const DEFAULTS: Record<
  Default,
  NonNullable<ServerSideEncryptionRule["ApplyServerSideEncryptionByDefault"]>
> = {
  "SSE-S3": { SSEAlgorithm: "AES256" },
  "aws/s3": { SSEAlgorithm: "aws:kms" },
  CMK: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: KEY_A },
  DSSE: { SSEAlgorithm: "aws:kms:dsse", KMSMasterKeyID: KEY_A },
};

const all = (picked: "error" | "ignore"): UnknownRows =>
  Object.fromEntries(UNKNOWN_ROWS.map((row) => [row, picked]));

const shy = withSimulator({ buckets: ["source"] });
const ignoring = withSimulator({ buckets: ["source"], unknownRows: all("ignore") });
const refusing = withSimulator({ buckets: ["source"], unknownRows: all("error") });

/** Puts the real ARNs where a case says key A or key B. */
function withKeys<T extends object>(fixture: typeof shy, value: T): T {
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      if (member === KEY_A) return [name, fixture.key.arn];
      return [name, member === KEY_B ? fixture.otherKey.arn : member];
    }),
  ) as T;
}

async function bucketOf(fixture: typeof shy, bucket: Case["bucket"]): Promise<string> {
  const [name, flag] = bucket.split(" + ") as [Default, string | undefined];
  return newBucket(fixture.s3, {
    ApplyServerSideEncryptionByDefault: withKeys(fixture, DEFAULTS[name]),
    BucketKeyEnabled: flag !== undefined,
    BlockedEncryptionTypes: { EncryptionType: ["NONE"] },
  });
}

describe.each(Object.keys(WRITES) as (keyof typeof WRITES)[])("%s", (operation) => {
  const taken = CASES.filter(({ becomes }) => becomes !== undefined);

  it.each(taken)("$row: $says, bucket $bucket", async ({ asked, bucket, becomes, picks }) => {
    const fixture = picks === undefined ? shy : ignoring;
    const output = await WRITES[operation](
      fixture.s3,
      await bucketOf(fixture, bucket),
      withKeys(fixture, asked),
    );
    const keys = {
      A: fixture.key.arn,
      B: fixture.otherKey.arn,
      "aws/s3": await managedKeyArn(fixture.sim),
      none: undefined,
    };
    expect(output.ServerSideEncryption).toBe(becomes?.sse);
    expect(output.SSEKMSKeyId).toBe(keys[becomes?.key ?? "none"]);
    expect(output.BucketKeyEnabled).toBe(becomes?.flag);
  });

  const refusals = CASES.filter(({ refused }) => refused !== undefined);

  it.each(refusals)("$row: $says, bucket $bucket: refused", async ({ asked, bucket, refused }) => {
    const name = await bucketOf(shy, bucket);
    const error = await errorOf(WRITES[operation](shy.s3, name, withKeys(shy, asked)));
    expect({
      status: error.$metadata.httpStatusCode,
      code: error.name,
      message: error.message,
    }).toEqual(refused);
  });

  const unknown = CASES.filter(({ picks }) => picks !== undefined);

  it.each(unknown)("$row: $says, bucket $bucket: a simulator error unless an option picks", async (row) => {
    const bucket = await bucketOf(shy, row.bucket);
    const error = await errorOf(WRITES[operation](shy.s3, bucket, withKeys(shy, row.asked)));
    expect([error.$metadata.httpStatusCode, error.name]).toEqual([501, "SimulatorUnknownRow"]);
    expect(error.message).toContain(`unknownRows: { ${row.row}: "error" | "ignore" }`);
    expect(error.message).toContain(`simulate --unknown-row ${row.row}=error|ignore;`);
  });

  it.each(unknown)("$row: $says, bucket $bucket: refused under the option error", async (row) => {
    const bucket = await bucketOf(refusing, row.bucket);
    const error = await errorOf(WRITES[operation](refusing.s3, bucket, withKeys(refusing, row.asked)));
    expect([error.$metadata.httpStatusCode, error.name]).toEqual([400, "InvalidArgument"]);
    expect(error.message).toContain(row.row);
  });

  it("R26: a bucket that blocks SSE-C, as new buckets do, denies it", async () => {
    const error = await errorOf(WRITES[operation](shy.s3, await newBucket(shy.s3), customer));
    expect([error.$metadata.httpStatusCode, error.name]).toEqual([403, "AccessDenied"]);
  });
});

// A form has no signature of its own: forms.test.ts has its R29.
describe.each(["PutObject", "CreateMultipartUpload", "CopyObject"] as const)("%s", (operation) => {
  it.each([
    ["the request names aws:kms", { ...kms, ...named }, "SSE-S3"],
    ["the bucket's default is SSE-KMS", {}, "CMK + flag"],
    ["DSSE", dsse, "SSE-S3"],
  ] as const)("R29: %s, signed with SigV2", async (_says, asked, bucket) => {
    const name = await bucketOf(shy, bucket);
    const legacy = stockClient(shy.sim);
    legacy.middlewareStack.add(
      (next) => (args) => {
        const { headers } = args.request as { headers: Record<string, string> };
        // Only the request under test: the source of a copy is written as usual.
        if (!JSON.stringify(args.input).includes('"source","Key":"s"'))
          headers["authorization"] = "AWS AKID:c2ln";
        return next(args);
      },
      { step: "finalizeRequest", priority: "low" },
    );
    const error = await errorOf(WRITES[operation](legacy, name, withKeys(shy, asked)));
    legacy.destroy();
    expect([error.name, error.message]).toEqual([
      "InvalidArgument",
      "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.",
    ]);
  });
});

describe("R20, the configuration: a bucket default of DSSE with a bucket key", () => {
  const rule = { ApplyServerSideEncryptionByDefault: DEFAULTS.DSSE, BucketKeyEnabled: true };

  it("is a simulator error unless an option picks", async () => {
    const error = await errorOf(newBucket(shy.s3, rule));
    expect([error.$metadata.httpStatusCode, error.name]).toEqual([501, "SimulatorUnknownRow"]);
  });

  it("is refused under the option error", async () => {
    expect((await errorOf(newBucket(refusing.s3, rule))).name).toBe("InvalidArgument");
  });

  it("is taken under the option ignore, and its objects have no bucket key", async () => {
    const bucket = await bucketOf(ignoring, "DSSE + flag");
    const output = await ignoring.s3.putObject({ Bucket: bucket, Key: "k", Body: "x" });
    expect(output.ServerSideEncryption).toBe("aws:kms:dsse");
    expect(output.BucketKeyEnabled).toBeUndefined();
  });
});

/** A refusal is an answer of S3; anything else that is thrown is a hole in the table. */
function decided(write: WriteFacts): Encrypts | "refused" {
  try {
    return decideEncryption(write, all("ignore")).encrypts;
  } catch (error) {
    if (error instanceof S3Error) return "refused";
    throw error;
  }
}

describe("the table", () => {
  let ids: Set<string>;
  beforeAll(() => {
    ids = new Set(ROWS.map(({ id }) => id));
  });

  it("has every row that the cases name, and the cases name every row", () => {
    const tested = new Set([...CASES.map(({ row }) => row), "R26"]);
    expect([...ids].toSorted()).toEqual([...tested].toSorted());
  });

  it("decides every combination of request and bucket, and keeps the general rule", () => {
    const defaults = (["SSE-S3", "aws/s3", "CMK", "DSSE"] as const).flatMap(
      (name) => [name, `${name} + flag`] as const,
    );
    const writes = fc.record<WriteFacts>({
      asks: fc.constantFrom(
        ...(["none", "AES256", "aws:kms", "aws:kms:dsse", "aws:fsx", "aws:backup"] as const),
        ...(["SSE-C", "SSE-C, blocked", "SSE-C and SSE", "other"] as const),
      ),
      keyId: fc.constantFrom("none", "named"),
      flag: fc.constantFrom("none", "true", "false", "other"),
      bucket: fc.constantFrom(...defaults),
    });
    fc.assert(
      fc.property(writes, (write) => {
        const encrypts = decided(write);
        if (encrypts === "refused") return;
        const flagOfBucket = write.bucket.endsWith("flag");
        const wanted = write.flag === "none" || write.flag === "other" ? flagOfBucket : write.flag === "true";
        expect(encrypts.bucketKey).toBe(encrypts.algorithm === "aws:kms" && wanted);
        const asked = /^(AES256|aws:.*)$/.test(write.asks) ? write.asks : encrypts.algorithm;
        expect(encrypts.algorithm).toBe(asked);
      }),
      { numRuns: 2_000 },
    );
  });

  it("asks only about rows that the option knows", () => {
    const asks = ROWS.filter(({ becomes }) => "unknown" in becomes).map(({ id }) => id);
    expect(UNKNOWN_ROWS.filter((row) => !asks.includes(row))).toEqual(["R20", "U4", "U8"]);
  });
});
