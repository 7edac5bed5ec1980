/** A body that failed left its request unfinished, and so its socket taken: after as many failures, no request went out. */
import { Agent } from "node:http";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { expect, it } from "vitest";
import { envelope, kmsKeyring } from "../../src/envelope/index.ts";
import { bucketKeys } from "../../src/index.ts";
import { startSimulator } from "../../src/simulator/index.ts";

/** More than a socket and its ends hold at a time, too. */
it.each([0, 1, 100, 3000])(
  "a body that fails after %i KiB frees its socket, and overwrites nothing",
  async (kib) => {
    const sim = await startSimulator({ buckets: ["vault"] });
    const keyring = kmsKeyring({ client: new KMSClient(sim.clientConfig), keyId: sim.createKmsKey().arn });
    for (const requestChecksumCalculation of ["WHEN_SUPPORTED", "WHEN_REQUIRED"] as const) {
      const httpAgent = new Agent({ keepAlive: true, maxSockets: 1 });
      const s3 = new S3Client({
        ...sim.clientConfig,
        requestHandler: new NodeHttpHandler({ httpAgent }),
        requestChecksumCalculation,
      });
      const sealer = envelope({ keyring });
      s3.middlewareStack.use(bucketKeys({ envelope: sealer }));
      const object = { Bucket: "vault", Key: "k" };
      await s3.send(new PutObjectCommand({ ...object, Body: "dear Ada" }));
      const failing = async function* (): AsyncGenerator<Uint8Array> {
        for (let i = 0; i < kib; i++) yield Buffer.alloc(1024);
        await sleep(20);
        throw new Error("disk gone");
      };
      for (let i = 0; i < 2; i++) {
        const put = new PutObjectCommand({
          ...object,
          Body: Readable.from(failing()),
          ContentLength: 5 * 2 ** 20,
        });
        await expect(s3.send(put)).rejects.toThrow("disk gone");
      }
      const { Body } = await s3.send(new GetObjectCommand(object));
      expect(await Body?.transformToString()).toBe("dear Ada");
      s3.destroy();
      await sealer.close();
    }
    await sim.close();
  },
);
