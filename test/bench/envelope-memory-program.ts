/** A process of its own for the memory that sealing takes: prints what it saw of its size, in bytes, as JSON. */
import { argv } from "node:process";
import { setTimeout } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type * as Main from "../../src/index.ts";
import { built } from "./bench.ts";
import { drain, envelopeModule, instantSealer, MIB } from "./envelope-fixture.ts";

const [what, dist = "", count = "0"] = argv.slice(2);
const url = pathToFileURL(dist);

/** Sizes of the process, by how much of the work was done. */
class Sizes {
  readonly seen: number[] = [];
  look(): void {
    this.seen.push(process.memoryUsage.rss());
  }
}

/** A stream of so many MiB, made as it's read; its size is looked at all along. */
async function stream(mebibytes: number): Promise<unknown> {
  const module = await envelopeModule(url);
  const sizes = new Sizes();
  async function* input(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < mebibytes * 16; i++) {
      if (i % 256 === 0) sizes.look();
      yield Buffer.allocUnsafeSlow(MIB / 16).fill(i);
    }
  }
  const sealer = instantSealer(module);
  const { body } = await module.seal(sealer, input());
  await drain(body);
  await sealer.close();
  return sizes.seen;
}

const PART = Buffer.alloc(8 * MIB, 1);
const AT_A_TIME = 16;
const WARM_UP = 300;
/** Long enough for all sixteen to be under way. */
const REQUEST_MS = 20;

/** Parts through a client whose requests take a moment and go nowhere; all have the same plaintext. */
async function parts(total: number): Promise<unknown> {
  const { bucketKeys } = await built<typeof Main>(url, "index.js");
  const sealer = instantSealer(await envelopeModule(url));
  const s3 = sinkClient();
  s3.middlewareStack.use(bucketKeys({ envelope: sealer }));
  const at = { Bucket: "bench", Key: "parts" };
  // A client that has worked for a while: what its code takes belongs to no part.
  for (let i = 0; i < WARM_UP; i++) await s3.send(new PutObjectCommand({ ...at, Body: "warm" }));
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(at));
  const upload = { ...at, UploadId };
  const sizes = new Sizes();
  sizes.look();
  let next = 1;
  const etags: string[] = [];
  const worker = async (): Promise<void> => {
    while (next <= total) {
      const PartNumber = next++;
      const { ETag = "" } = await s3.send(new UploadPartCommand({ ...upload, PartNumber, Body: PART }));
      etags[PartNumber - 1] = ETag;
      sizes.look();
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  const Parts = etags.map((ETag, i) => ({ ETag, PartNumber: i + 1 }));
  await s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
  await sealer.close();
  return sizes.seen;
}

const XML = "<R><UploadId>upload</UploadId><ETag>&quot;e&quot;</ETag></R>";

function sinkClient(): S3Client {
  return new S3Client({
    region: "eu-west-1",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    requestHandler: {
      metadata: { handlerProtocol: "http/1.1" },
      async handle({ method }: { readonly method: string }) {
        await setTimeout(REQUEST_MS);
        const body = Buffer.from(method === "POST" ? XML : "");
        return { response: { statusCode: 200, headers: { etag: '"e"' }, body } };
      },
    },
  });
}

console.log(JSON.stringify(await (what === "stream" ? stream(Number(count)) : parts(Number(count)))));
