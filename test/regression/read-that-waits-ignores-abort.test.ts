/** A read that waited for room in memory didn't notice that its call was aborted, and waited on. */
import { KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { expect, it } from "vitest";
import { envelope, kmsKeyring, open } from "../../src/envelope/index.ts";
import { bucketKeys } from "../../src/index.ts";
import { startSimulator } from "../../src/simulator/index.ts";

it("ends with its AbortSignal, and those behind it go on", async () => {
  const sim = await startSimulator({ buckets: ["vault"] });
  const keyring = kmsKeyring({ client: new KMSClient(sim.clientConfig), keyId: sim.createKmsKey().arn });
  const s3 = new S3Client(sim.clientConfig);
  const raw = new S3Client(sim.clientConfig);
  const sealer = envelope({ keyring, bufferBudgetBytes: 100_000, verifiedBufferBytes: 2 ** 20 });
  s3.middlewareStack.use(bucketKeys({ envelope: sealer }));
  const object = { Bucket: "vault", Key: "k" };
  try {
    await s3.send(new PutObjectCommand({ ...object, Body: Buffer.alloc(100_000) }));
    const { Body, Metadata } = await raw.send(new GetObjectCommand(object));
    const sealed = Buffer.from((await Body?.transformToByteArray()) as Uint8Array);
    // Takes all of the budget for as long as its chunks come.
    const done = new AbortController();
    const slow = async function* (): AsyncGenerator<Uint8Array> {
      for (let at = 0; !done.signal.aborted; at++) {
        yield sealed.subarray(at, at + 1);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const first = open(sealer, slow(), Metadata).catch((error: Error) => error.name);
    const aborting = new AbortController();
    const aborted = s3.send(new GetObjectCommand(object), { abortSignal: aborting.signal });
    const behind = s3.send(new GetObjectCommand(object));
    setTimeout(() => aborting.abort(), 200);
    // Node 22 lets the SDK's checksum of the torn body speak first.
    await expect(aborted).rejects.toThrow(/abort|checksum/i);
    done.abort();
    expect(await first).toBe("EnvelopeIntegrityError");
    expect((await (await behind).Body?.transformToByteArray())?.length).toBe(100_000);
  } finally {
    s3.destroy();
    raw.destroy();
    await sealer.close();
    await sim.close();
  }
});
