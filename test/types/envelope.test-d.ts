/** Checked by the compiler alone: bytes give bytes, streams give streams, and a body may be either. */
import type { Readable } from "node:stream";
import type { GetObjectCommandOutput, PutObjectCommandInput } from "@aws-sdk/client-s3";
import {
  open,
  seal,
  type BytesBody,
  type Envelope,
  type SealedObject,
  type StreamBody,
} from "../../src/envelope/index.ts";

declare const sealer: Envelope;
declare const metadata: Record<string, string>;

/** Fails to compile unless both are the same type. */
declare function same<A, B>(proof: [A, B] extends [B, A] ? true : never): void;

// Bytes give bytes, a stream gives a stream.
const sealedText = await seal(sealer, "dear Ada");
same<typeof sealedText, SealedObject<Uint8Array>>(true);
declare const file: Readable;
const sealedFile = await seal(sealer, file, { bucket: "b", key: "k" });
same<typeof sealedFile, SealedObject<Readable>>(true);
const text = await open(sealer, sealedText.body, sealedText.metadata);
same<typeof text, Uint8Array>(true);
const content = await open(sealer, sealedFile.body, sealedFile.metadata);
same<typeof content, Readable>(true);

// One whose type is a union gives a union, and what it was sealed to can be stored and opened.
declare const either: string | Readable;
const sealed = await seal(sealer, either);
same<typeof sealed, SealedObject<Uint8Array | Readable>>(true);
sealed.body satisfies NonNullable<PutObjectCommandInput["Body"]>;
const opened = await open(sealer, sealed.body, sealed.metadata);
same<typeof opened, Uint8Array | Readable>(true);
declare const any: BytesBody | StreamBody;
await seal(sealer, any, { key: "k" });
await open(sealer, any, undefined, { key: "k" });

// Metadata as GetObject gives it.
declare const answer: GetObjectCommandOutput;
await open(sealer, "", answer.Metadata);

// @ts-expect-error Nothing is no body.
await seal(sealer, undefined);
declare const perhaps: string | undefined;
// @ts-expect-error Nor is what may be nothing.
await seal(sealer, perhaps);
// @ts-expect-error What seal() gave is a body and its metadata, each an argument of its own.
await open(sealer, sealed, metadata);
// @ts-expect-error An option that doesn't exist.
await seal(sealer, either, { encryptionContxt: {} });
