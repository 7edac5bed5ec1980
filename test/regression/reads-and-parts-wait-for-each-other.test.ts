/**
 * Reads held the client's sockets and waited for the sealer's byte budget, while parts held all of the budget and waited
 * for sockets: neither went on, ever.
 */
import { Agent } from "node:http";
import { KMSClient } from "@aws-sdk/client-kms";
import {
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { expect, it } from "vitest";
import { envelope, kmsKeyring } from "../../src/envelope/index.ts";
import { bucketKeys } from "../../src/index.ts";
import { startSimulator } from "../../src/simulator/index.ts";

const KIB = 1024;
const at = (name: string, number: number): { Bucket: string; Key: string } => ({
  Bucket: "vault",
  Key: `${name}${number}`,
});

const NUMBERS = [0, 1, 2, 3];

it("as many reads as there are sockets and as many parts as fill the budget all go through", async () => {
  const sim = await startSimulator({ buckets: ["vault"] });
  const keyring = kmsKeyring({ client: new KMSClient(sim.clientConfig), keyId: sim.createKmsKey().arn });
  const httpAgent = new Agent({ keepAlive: true, maxSockets: NUMBERS.length });
  const s3 = new S3Client({ ...sim.clientConfig, requestHandler: new NodeHttpHandler({ httpAgent }) });
  const sealer = envelope({ keyring, bufferBudgetBytes: 320 * KIB });
  s3.middlewareStack.use(bucketKeys({ envelope: sealer }));
  try {
    for (const number of NUMBERS) {
      await s3.send(new PutObjectCommand({ ...at("object", number), Body: Buffer.alloc(96 * KIB) }));
    }
    const uploads = await Promise.all(
      NUMBERS.map((number) => s3.send(new CreateMultipartUploadCommand(at("upload", number)))),
    );
    const reads = NUMBERS.map(async (number) => {
      const { Body } = await s3.send(new GetObjectCommand(at("object", number)));
      return (await Body?.transformToByteArray())?.length;
    });
    const parts = uploads.map(({ UploadId }, number) =>
      s3.send(
        new UploadPartCommand({
          ...at("upload", number),
          UploadId,
          PartNumber: 1,
          Body: Buffer.alloc(80 * KIB),
        }),
      ),
    );
    expect(await Promise.all(reads)).toEqual(NUMBERS.map(() => 96 * KIB));
    expect(await Promise.all(parts)).toHaveLength(NUMBERS.length);
  } finally {
    s3.destroy();
    await sealer.close();
    await sim.close();
  }
});
