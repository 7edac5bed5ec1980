/** The tag went through the last part's call only: once the signal of that one had fired, no Complete got through. */
import { KMSClient } from "@aws-sdk/client-kms";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { expect, it } from "vitest";
import { envelope, kmsKeyring } from "../../src/envelope/index.ts";
import { bucketKeys } from "../../src/index.ts";
import { startSimulator } from "../../src/simulator/index.ts";

const MIB = 2 ** 20;

it("completes though the signal of the last part has fired since", async () => {
  const sim = await startSimulator({ buckets: ["vault"] });
  const keyring = kmsKeyring({ client: new KMSClient(sim.clientConfig), keyId: sim.createKmsKey().arn });
  const s3 = new S3Client(sim.clientConfig);
  const sealer = envelope({ keyring });
  s3.middlewareStack.use(bucketKeys({ envelope: sealer }));
  try {
    const object = { Bucket: "vault", Key: "k" };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(object));
    const upload = { ...object, UploadId };
    const deadline = new AbortController();
    const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
    for (const [i, bytes] of [5 * MIB, 5].entries()) {
      const part = new UploadPartCommand({ ...upload, PartNumber: i + 1, Body: Buffer.alloc(bytes, "x") });
      const { ETag } = await s3.send(part, i === 1 ? { abortSignal: deadline.signal } : {});
      Parts.push({ PartNumber: i + 1, ETag });
    }
    deadline.abort();
    await s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
    const { Body } = await s3.send(new GetObjectCommand(object));
    expect((await Body?.transformToString())?.length).toBe(5 * MIB + 5);
  } finally {
    s3.destroy();
    await sealer.close();
    await sim.close();
  }
});
