/** Policies asked where S3 asks KMS: what switching bucket keys on breaks, and what mends it (P1, P13). */
import { CreateGrantCommand, KMSClient } from "@aws-sdk/client-kms";
import type { GetObjectOutput, PutObjectOutput, S3 } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  startSimulator,
  type KmsKey,
  type PolicyStatement,
  type Simulator,
  type SimulatorOptions,
} from "../../src/simulator/index.ts";
import { errorOf, stockClient } from "./support.ts";

const ACCOUNT = "111122223333";
const APP = `arn:aws:sts::${ACCOUNT}:assumed-role/app/session`;
const ROLE = `arn:aws:iam::${ACCOUNT}:role/app`;
const BUCKET = "arn:aws:s3:::lake";
const LIFETIME_MS = 60_000;
const S3_ARN = "kms:EncryptionContext:aws:s3:arn";

let sim: Simulator;
let s3: S3;
let key: KmsKey;

async function start(options: SimulatorOptions = {}): Promise<void> {
  const app = { accessKeyId: "APP", secretAccessKey: "secret", principalArn: APP };
  sim = await startSimulator({ buckets: ["lake"], credentials: [app], ...options });
  s3 = stockClient(sim);
  key = sim.createKmsKey();
}

async function stop(): Promise<void> {
  s3.destroy();
  await sim.close();
}

beforeEach(() => start());
afterEach(stop);

/** The key policy of a role that works with the account's buckets, under a condition. */
function allowRole(
  Condition: PolicyStatement["Condition"],
  Action: string | string[] = "kms:*",
): PolicyStatement {
  return {
    Effect: "Allow",
    Principal: { AWS: ROLE },
    Action,
    Resource: "*",
    ...(Condition && { Condition }),
  };
}

function putKeyPolicy(...Statement: PolicyStatement[]): void {
  sim.putKeyPolicy(key.arn, { Version: "2012-10-17", Statement });
}

const put = (Key: string, BucketKeyEnabled: boolean, extra = {}): Promise<PutObjectOutput> =>
  s3.putObject({
    Bucket: "lake",
    Key,
    Body: "x",
    ServerSideEncryption: "aws:kms",
    SSEKMSKeyId: key.arn,
    BucketKeyEnabled,
    ...extra,
  });
const get = (Key: string): Promise<GetObjectOutput> => s3.getObject({ Bucket: "lake", Key });

const read = async (Key: string): Promise<string | undefined> =>
  (await s3.getObject({ Bucket: "lake", Key })).Body?.transformToString();

describe("a key policy that names objects", () => {
  beforeEach(() => {
    putKeyPolicy(
      allowRole({
        StringLike: { [S3_ARN]: `${BUCKET}/*` },
        StringEquals: { "kms:ViaService": "s3.eu-west-1.amazonaws.com" },
      }),
    );
  });

  it("E5: denies as soon as bucket keys are on, and says action, principal and key", async () => {
    await put("old", false);
    await get("old");
    const error = await errorOf(put("new", true));
    expect([error.$metadata.httpStatusCode, error.name]).toEqual([403, "AccessDenied"]);
    expect(error.message).toBe(
      `User: ${APP} is not authorized to perform: kms:GenerateDataKey on resource: ${key.arn} ` +
        "because no resource-based policy allows the kms:GenerateDataKey action",
    );
    expect((await errorOf(get("new"))).name).toBe("NoSuchKey");
    expect(sim.kmsRequestCount()).toBe(2);
  });

  it("is mended by the two values of a transition: old objects and new ones", async () => {
    await put("old", false);
    putKeyPolicy(allowRole({ StringLike: { [S3_ARN]: [BUCKET, `${BUCKET}/*`] } }));
    await put("new", true);
    for (const name of ["old", "new"]) expect(await read(name)).toBe("x");
  });

  it("is not mended by the bucket alone: old objects are lost to their readers", async () => {
    await put("old", false);
    putKeyPolicy(allowRole({ StringEquals: { [S3_ARN]: BUCKET } }));
    await put("new", true);
    const error = await errorOf(get("old"));
    expect([error.name, error.message]).toEqual(["AccessDenied", expect.stringContaining("kms:Decrypt")]);
  });

  it("denies what copies, parts and updates make of it", async () => {
    await put("old", false);
    const kms = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: key.arn, BucketKeyEnabled: true } as const;
    const at = { Bucket: "lake", Key: "new" };
    const SSEKMS = { KMSKeyArn: key.arn, BucketKeyEnabled: true };
    for (const call of [
      s3.copyObject({ ...at, CopySource: "lake/old", ...kms }),
      s3.createMultipartUpload({ ...at, ...kms }),
      s3.updateObjectEncryption({ ...at, Key: "old", ObjectEncryption: { SSEKMS } }),
    ]) {
      expect((await errorOf(call)).name).toBe("AccessDenied");
    }
    expect(await read("old")).toBe("x");
  });
});

describe("a key policy that forces bucket keys", () => {
  it("denies writes without one", async () => {
    putKeyPolicy(allowRole({ StringEquals: { [S3_ARN]: BUCKET } }));
    await put("with", true);
    expect((await errorOf(put("without", false))).name).toBe("AccessDenied");
  });
});

describe("Deny statements", () => {
  const everything = { Effect: "Allow", Principal: "*", Action: "kms:*", Resource: "*" };

  it("StringNotLike on objects locks everybody out", async () => {
    putKeyPolicy(everything, {
      ...everything,
      Effect: "Deny",
      Condition: { StringNotLike: { [S3_ARN]: `${BUCKET}/*` } },
    });
    await put("old", false);
    expect((await errorOf(put("new", true))).message).toContain(
      "with an explicit deny in a resource-based policy",
    );
  });

  it("StringLike on a prefix protects nothing any more", async () => {
    putKeyPolicy(everything, {
      ...everything,
      Effect: "Deny",
      Condition: { StringLike: { [S3_ARN]: `${BUCKET}/secret/*` } },
    });
    expect((await errorOf(put("secret/a", false))).name).toBe("AccessDenied");
    await put("secret/a", true);
  });
});

describe("tenants kept apart by their principals' tags", () => {
  it("are together once bucket keys are on", async () => {
    await stop();
    const app = {
      accessKeyId: "APP",
      secretAccessKey: "s",
      principalArn: APP,
      principalTags: { team: "blue" },
    };
    await start({ credentials: [app] });
    putKeyPolicy(allowRole({ StringLike: { [S3_ARN]: `${BUCKET}/\${aws:PrincipalTag/team}/*` } }));
    await put("blue/a", false);
    expect((await errorOf(put("red/a", false))).name).toBe("AccessDenied");
    expect((await errorOf(put("blue/b", true))).name).toBe("AccessDenied");
    putKeyPolicy(allowRole({ StringLike: { [S3_ARN]: [BUCKET, `${BUCKET}/\${aws:PrincipalTag/team}/*`] } }));
    await put("blue/b", true);
    await put("red/a", true);
  });
});

describe("a bucket key in memory", () => {
  it("goes on working after the permission is gone, for one lifetime", async () => {
    await put("a", true);
    await get("a");
    sim.putIamPolicy(ROLE, []);
    await put("b", true);
    await get("a");
    sim.advance(LIFETIME_MS);
    const message = expect.stringContaining("because no identity-based policy allows the kms:");
    expect(await errorOf(put("c", true))).toMatchObject({ name: "AccessDenied", message });
    expect(await errorOf(get("a"))).toMatchObject({ name: "AccessDenied", message });
  });
});

const context = (tenant: string): object => ({
  SSEKMSEncryptionContext: Buffer.from(JSON.stringify({ tenant })).toString("base64"),
});

/** All that identity policies let the role do. */
const only = (...Action: string[]): void =>
  sim.putIamPolicy(ROLE, {
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Action, Resource: key.arn },
  });

describe("who else is asked for what", () => {
  it("P13: parts need kms:Decrypt beside kms:GenerateDataKey", async () => {
    only("kms:GenerateDataKey");
    const at = { Bucket: "lake", Key: "big" };
    const kms = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: key.arn } as const;
    const { UploadId } = await s3.createMultipartUpload({ ...at, ...kms });
    const part = { ...at, UploadId, PartNumber: 1, Body: "x" };
    expect((await errorOf(s3.uploadPart(part))).message).toContain("kms:Decrypt");
    only("kms:GenerateDataKey", "kms:Decrypt");
    await s3.uploadPart(part);
  });

  it("HeadObject needs no permission of KMS", async () => {
    await put("a", true);
    only("kms:DescribeKey");
    const { BucketKeyEnabled } = await s3.headObject({ Bucket: "lake", Key: "a" });
    expect(BucketKeyEnabled).toBe(true);
  });

  it("an encryption context of the caller's own can be asked for", async () => {
    putKeyPolicy(allowRole({ StringEquals: { "kms:EncryptionContext:tenant": "blue" } }));
    await put("a", true, context("blue"));
    expect((await errorOf(put("b", true, context("red")))).name).toBe("AccessDenied");
  });

  it("a grant with the bucket's ARN lets S3 ask for its grantee", async () => {
    const kms = new KMSClient(sim.clientConfig);
    await kms.send(
      new CreateGrantCommand({
        KeyId: key.arn,
        GranteePrincipal: ROLE,
        Operations: ["GenerateDataKey", "Decrypt"],
        Constraints: { EncryptionContextSubset: { "aws:s3:arn": BUCKET } },
      }),
    );
    kms.destroy();
    sim.putIamPolicy(ROLE, []);
    await put("with", true);
    await get("with");
    expect((await errorOf(put("without", false))).name).toBe("AccessDenied");
  });

  it("everybody of the account comes to aws/s3 through S3", async () => {
    sim.putIamPolicy(ROLE, []);
    await put("a", true, { SSEKMSKeyId: undefined });
    expect((await get("a")).SSEKMSKeyId).not.toBe(key.arn);
  });

  it("U12: a write with a bucket key needs kms:Decrypt only when asked to", async () => {
    only("kms:GenerateDataKey");
    await put("a", true);
    await stop();
    await start({ bucketKeyWritesNeedDecrypt: true });
    only("kms:GenerateDataKey");
    await put("without", false);
    expect((await errorOf(put("with", true))).message).toContain("kms:Decrypt");
    only("kms:GenerateDataKey", "kms:Decrypt");
    await put("with", true);
    expect(sim.kmsRequests().map(({ action }) => action)).toEqual(["GenerateDataKey", "GenerateDataKey"]);
  });
});
