/** `npm run test:peers -- --write-vectors`: the object vectors of `test/vectors` anew, by the clients themselves. */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DecryptCommand, KMSClient } from "@aws-sdk/client-kms";
import { CreateBucketCommand, GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { progress } from "../cache.ts";
import { moto } from "../moto.ts";
import type { RunningPeer } from "../peer.ts";
import { plainClient } from "../session.ts";
import { bodyOf, sha256 } from "./bodies.ts";
import type { S3ecClient } from "./client.ts";
import type { Context, Format, PutJob } from "./job.ts";
import { s3ecJava } from "./java.ts";
import { legacyObjects, wrapForNobody } from "./legacy-vectors.ts";
import { s3ecPython } from "./python.ts";
import type { KmsAnswer, Vector, VectorFile } from "./vector.ts";

const FOLDER = fileURLToPath(new URL("../../vectors/", import.meta.url));
const BUCKET = "vectors";
const SIZES = [0, 1, 15, 16, 17, 1000];
const ASCII: Context = { tenant: "blue 7", purpose: "vector" };
/** The client for Java stores Latin-1, and for what is not in it a question mark. */
const UNICODE: readonly Context[] = [{ tenant: "blå" }, { tenant: "blå €" }];
const NOT_LATIN_1 = /[^\0-\u00ff]/;

/** Starts moto, has the clients write, and reads what is there with a plain client. */
export async function writeVectors(): Promise<void> {
  const server = await moto.start();
  const s3 = plainClient(server);
  try {
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    for (const client of [s3ecPython, s3ecJava]) {
      const source =
        `written by the official Amazon S3 Encryption Client, ${client.name} ${client.version} (Apache-2.0), against ` +
        `moto ${moto.version}; kms maps a wrapped data key (base64) to what KMS Decrypt answered; userContext is what ` +
        "the client was given. Made by npm run test:peers -- --write-vectors";
      write(client.name, { source, ...(await written(client, server, s3)) });
    }
    const source =
      "made by test/peers/s3ec/legacy-vectors.ts of this project (Apache-2.0) with node:crypto alone; kms maps a " +
      "wrapped data key (base64) to what KMS Decrypt, or with a raw key the caller's own unwrapping, answers";
    write("s3ec-legacy", { source, ...(await legacyObjects(wrapForNobody)) });
  } finally {
    s3.destroy();
    await server.stop();
  }
}

/** One object to write. */
type Wanted = Pick<PutJob, "key" | "body" | "road" | "format" | "context">;

function want(format: Format, road: "put" | "instruction", bytes: number, context?: Context): Wanted {
  const told = context === undefined ? "no context" : `context ${JSON.stringify(context)}`;
  const key = `${format}, ${road === "put" ? "" : "instruction file, "}${bytes} bytes, ${told}`;
  return { key, body: { seed: key, bytes }, road, format, ...(context && { context }) };
}

function wanted({ name, lacks }: S3ecClient): readonly Wanted[] {
  const formats: readonly Format[] = ["V3", "V2"];
  return formats.flatMap((format) => [
    ...SIZES.map((bytes) => want(format, "put", bytes)),
    ...[0, 1000].map((bytes) => want(format, "put", bytes, ASCII)),
    ...(lacks.includes("instruction")
      ? []
      : [want(format, "instruction", 100), want(format, "instruction", 100, ASCII)]),
    // The client for Python takes no other than ASCII.
    ...(name === "s3ec-java" ? UNICODE.map((context) => want(format, "put", 100, context)) : []),
  ]);
}

async function written(
  client: S3ecClient,
  server: RunningPeer,
  s3: S3Client,
): Promise<Pick<VectorFile, "kms" | "objects">> {
  const program = await client.start({ server, bucket: BUCKET });
  const keys = new KMSClient({ ...server });
  const kms: Record<string, KmsAnswer> = {};
  const objects: Vector[] = [];
  try {
    for (const job of wanted(client)) {
      await program.do({ do: "put", ...job });
      const { body, metadata } = await stored(s3, job.key);
      const file = job.road === "instruction" ? await stored(s3, `${job.key}.instruction`) : undefined;
      const userContext = job.context ?? {};
      const blob = blobOf({ ...metadata, ...(file && (JSON.parse(file.body.toString()) as object)) });
      kms[blob] = await unwrapped(keys, blob, userContext, job.format, server.kmsKeys.rule);
      objects.push({
        name: job.key,
        format: job.format,
        size: job.body.bytes,
        userContext,
        ...(NOT_LATIN_1.test(JSON.stringify(userContext)) && { contextLost: true as const }),
        plaintextSha256: sha256(bodyOf(job.body)),
        body: body.toString("base64"),
        metadata,
        ...(file && { instructionFile: { body: file.body.toString(), metadata: file.metadata } }),
      });
    }
  } finally {
    keys.destroy();
    await program.end();
  }
  return { kms, objects };
}

async function stored(
  s3: S3Client,
  key: string,
): Promise<{ readonly body: Buffer; readonly metadata: Readonly<Record<string, string>> }> {
  const { Body, Metadata = {} } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
  return { body: Buffer.from((await Body?.transformToByteArray()) ?? []), metadata: Metadata };
}

function blobOf(envelope: Readonly<Record<string, unknown>>): string {
  const blob = envelope["x-amz-3"] ?? envelope["x-amz-key-v2"];
  if (typeof blob !== "string") throw new Error(`No wrapped key in ${JSON.stringify(envelope)}`);
  return blob;
}

async function unwrapped(
  kms: KMSClient,
  blob: string,
  context: Context,
  format: Format,
  keyId: string,
): Promise<KmsAnswer> {
  const EncryptionContext = {
    ...context,
    "aws:x-amz-cek-alg": format === "V3" ? "115" : "AES/GCM/NoPadding",
  };
  const CiphertextBlob = Buffer.from(blob, "base64");
  const answer = await kms.send(new DecryptCommand({ KeyId: keyId, CiphertextBlob, EncryptionContext }));
  const plaintext = Buffer.from(answer.Plaintext ?? []).toString("base64");
  return { plaintext, encryptionContext: EncryptionContext, keyId: answer.KeyId ?? keyId };
}

/** The same JSON in ASCII: what looks like a wrong character here is meant. */
function asciiOf(json: string): string {
  return json.replaceAll(
    /[^\n -~]/g,
    (one) => String.raw`\u` + one.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}

function write(name: string, file: VectorFile): void {
  mkdirSync(FOLDER, { recursive: true });
  const text = `${asciiOf(JSON.stringify(file, undefined, 1))}\n`;
  writeFileSync(`${FOLDER}${name}.json`, text);
  progress(`test/vectors/${name}.json: ${file.objects.length} objects, ${text.length} characters`);
}
