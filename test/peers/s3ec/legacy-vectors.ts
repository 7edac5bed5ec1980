/**
 * Objects in the forms that no official client writes any more, made with nothing but node:crypto from the published
 * format; nothing of `src` is in here. Keys and IVs come from names: the same objects each time.
 *
 * Source: specification s3-encryption/data-format (content-metadata, metadata-strategy), and objects as Amazon SES
 * stores received mail (V2, `kms`, GCM).
 */
import { createCipheriv, createHash } from "node:crypto";
import { bodyOf, sha256 } from "./bodies.ts";
import type { KmsAnswer, Vector, VectorFile } from "./vector.ts";

/** Wraps a data key as KMS Encrypt does under this context. */
export type Wrap = (dataKey: Buffer, context: Readonly<Record<string, string>>) => Promise<Buffer>;

const KMS_KEY = "arn:aws:kms:us-east-1:123456789012:key/046e7a62-06fd-4b12-a47b-7e57740a6788";
const SIZES = [0, 1, 15, 16, 17, 1000];
const ALGORITHM = "aws:x-amz-cek-alg";
const GCM = "AES/GCM/NoPadding";
const CBC = "AES/CBC/PKCS5Padding";

/** What is to be made, before there is a wrapped key. */
interface Recipe {
  readonly name: string;
  readonly format: "V2" | "V1";
  readonly size: number;
  /** Left out: none, as for raw keys in V1. */
  readonly wrap?: "kms" | "kms+context";
  readonly content: typeof GCM | typeof CBC;
  /** What KMS is told, and the material description that is stored. */
  readonly context: Readonly<Record<string, string>>;
  /** The description as the reader's SDK sees it. Left out: plain JSON. */
  readonly description?: string;
  readonly userContext?: Readonly<Record<string, string>>;
  readonly inInstructionFile?: true;
}

const SES = {
  "aws:ses:message-id": "0102018f3c5d7a10-a3b1",
  "aws:ses:rule-name": "store-received-mail",
  "aws:ses:source-account": "123456789012",
};

/** "blå 7 €" in the ways in which it may come out of S3; JSON around it. */
const TENANT = "blå 7 €";
const UNICODE = JSON.stringify({ tenant: TENANT, [ALGORITHM]: GCM });
const once = Buffer.from(UNICODE, "utf8");
const ENCODINGS: Readonly<Record<string, string>> = {
  "JSON escapes": UNICODE.replaceAll(
    /[^ -~]/g,
    (one) => String.raw`\u` + one.charCodeAt(0).toString(16).padStart(4, "0"),
  ),
  "UTF-8 in the header, which Node reads as Latin-1": once.toString("latin1"),
  "RFC 2047 of the text, base64": `=?UTF-8?B?${once.toString("base64")}?=`,
  "RFC 2047 of the text, quoted": `=?UTF-8?Q?${quoted(once)}?=`,
  "RFC 2047 of the bytes taken for Latin-1, quoted": `=?UTF-8?Q?${quoted(Buffer.from(once.toString("latin1"), "utf8"))}?=`,
};

function quoted(bytes: Buffer): string {
  return [...bytes]
    .map((byte) =>
      /[A-Za-z0-9]/.test(String.fromCharCode(byte))
        ? String.fromCharCode(byte)
        : `=${byte.toString(16).toUpperCase().padStart(2, "0")}`,
    )
    .join("");
}

/** All recipes; with a KMS key that is there, for objects that a reader is to unwrap. */
function recipes(kmsKey: string): readonly Recipe[] {
  const cmk = { kms_cmk_id: kmsKey };
  const old = (
    format: Recipe["format"],
    content: Recipe["content"],
    rest: Partial<Recipe> & Pick<Recipe, "name">,
  ): Recipe => ({ format, content, size: 100, wrap: "kms", context: cmk, ...rest });
  return [
    ...SIZES.map((size) => {
      const name = `V2, kms, GCM, as Amazon SES stores mail, ${size} bytes`;
      return old("V2", GCM, { name, size, context: { ...SES, ...cmk } });
    }),
    ...SIZES.map((size) => old("V2", CBC, { name: `V2, kms, CBC, ${size} bytes`, size })),
    ...SIZES.map((size) => old("V1", CBC, { name: `V1, kms, CBC, ${size} bytes`, size })),
    { name: "V1, a raw key, CBC", format: "V1", size: 100, content: CBC, context: {} },
    old("V2", GCM, { name: "V2, kms, GCM, instruction file", inInstructionFile: true }),
    old("V2", CBC, { name: "V2, kms, CBC, instruction file", inInstructionFile: true }),
    old("V1", CBC, { name: "V1, kms, CBC, instruction file", inInstructionFile: true }),
    ...Object.entries(ENCODINGS).map(([encoding, description]) =>
      old("V2", GCM, {
        name: `V2, kms+context, GCM, context in ${encoding}`,
        wrap: "kms+context",
        context: { tenant: TENANT, [ALGORITHM]: GCM },
        description,
        userContext: { tenant: TENANT },
      }),
    ),
  ];
}

/** What the objects are called. */
export function recipeNames(): readonly string[] {
  return recipes(KMS_KEY).map(({ name }) => name);
}

/** The objects, and what KMS answers for their data keys. */
export async function legacyObjects(
  wrap: Wrap,
  kmsKey: string = KMS_KEY,
): Promise<Omit<VectorFile, "source">> {
  const kms: Record<string, KmsAnswer> = {};
  const objects: Vector[] = [];
  for (const recipe of recipes(kmsKey)) {
    const dataKey = fromName(`data key of ${recipe.name}`, 32);
    // The key that a caller unwraps without KMS: any bytes, of the length that AES wraps have.
    const blob = recipe.wrap === undefined ? fromName(recipe.name, 48) : await wrap(dataKey, recipe.context);
    kms[blob.toString("base64")] = {
      plaintext: dataKey.toString("base64"),
      encryptionContext: recipe.context,
      keyId: kmsKey,
    };
    objects.push(sealed(recipe, dataKey, blob));
  }
  return { kms, objects };
}

/** Stands in for KMS where nobody unwraps: the vectors have its answers inside. */
export const wrapForNobody: Wrap = (dataKey) =>
  Promise.resolve(fromName(`wrapped ${dataKey.toString("hex")}`, 184));

function sealed(recipe: Recipe, dataKey: Buffer, blob: Buffer): Vector {
  const { name, format, size, content, context, userContext = {} } = recipe;
  const plaintext = bodyOf({ seed: name, bytes: size });
  const iv = fromName(`iv of ${name}`, content === GCM ? 12 : 16);
  const body = content === GCM ? gcm(dataKey, iv, plaintext) : cbc(dataKey, iv, plaintext);
  const envelope = {
    [format === "V1" ? "x-amz-key" : "x-amz-key-v2"]: blob.toString("base64"),
    "x-amz-iv": iv.toString("base64"),
    "x-amz-matdesc": recipe.description ?? JSON.stringify(context),
    ...(recipe.wrap !== undefined && { "x-amz-wrap-alg": recipe.wrap }),
    ...(format === "V2" && { "x-amz-cek-alg": content }),
    ...(content === GCM && { "x-amz-tag-len": "128" }),
  };
  const hint = { "x-amz-unencrypted-content-length": `${size}` };
  return {
    name,
    format,
    size,
    userContext,
    plaintextSha256: sha256(plaintext),
    body: body.toString("base64"),
    ...(recipe.inInstructionFile
      ? {
          metadata: hint,
          instructionFile: { body: JSON.stringify(envelope), metadata: { "x-amz-crypto-instr-file": "" } },
        }
      : { metadata: { ...envelope, ...hint } }),
  };
}

function gcm(key: Buffer, iv: Buffer, plaintext: Buffer): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function cbc(key: Buffer, iv: Buffer, plaintext: Buffer): Buffer {
  const cipher = createCipheriv("aes-256-cbc", key, iv);
  return Buffer.concat([cipher.update(plaintext), cipher.final()]);
}

/** Bytes that only the name decides. */
function fromName(name: string, bytes: number): Buffer {
  const digests = Array.from({ length: Math.ceil(bytes / 32) }, (_, i) =>
    createHash("sha256").update(`${i} ${name}`).digest(),
  );
  return Buffer.concat(digests).subarray(0, bytes);
}
