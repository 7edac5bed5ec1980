/**
 * The names under which the S3 Encryption Client formats keep their envelope in an object's user metadata, lower-case
 * and without `x-amz-meta-`, as the SDK's `Metadata` map has them.
 *
 * Source: specification s3-encryption/data-format/content-metadata (the keys of V1, V2, V3 and instruction files).
 */

/** User metadata of an object as the SDK has it: names without `x-amz-meta-`. */
export type ObjectMetadata = Readonly<Record<string, string>>;

/** The names of format V3. */
export const V3_NAMES = {
  /** Algorithm suite of the content. */
  suite: "x-amz-c",
  /** Encrypted data key. */
  blob: "x-amz-3",
  /** How the data key is wrapped. */
  wrap: "x-amz-w",
  messageId: "x-amz-i",
  commitment: "x-amz-d",
  /** Encryption context, with KMS. */
  context: "x-amz-t",
  /** Material description, with raw keys. */
  description: "x-amz-m",
} as const;

/** The names that formats V1 and V2 are told by; any of them beside one of V3 is a forgery. */
export const V1_V2_NAMES = {
  blobV1: "x-amz-key",
  blobV2: "x-amz-key-v2",
  iv: "x-amz-iv",
  description: "x-amz-matdesc",
  wrap: "x-amz-wrap-alg",
  content: "x-amz-cek-alg",
  tagBits: "x-amz-tag-len",
} as const;

/** Names that only describe: an object with nothing but these is not readable by them. */
export const HINT_NAMES = {
  plaintextLength: "x-amz-unencrypted-content-length",
  /** Written by clients of old (CVE-2022-2582); never read, never to be written. */
  plaintextMd5: "x-amz-unencrypted-content-md5",
  /** On an instruction file itself; its value is empty. */
  instructionFile: "x-amz-crypto-instr-file",
} as const;

const ALL_NAMES: ReadonlySet<string> = new Set([
  ...Object.values(V3_NAMES),
  ...Object.values(V1_V2_NAMES),
  ...Object.values(HINT_NAMES),
]);

/** Whether a name of user metadata belongs to an envelope of any format, in whatever case it is written. */
export function isEnvelopeName(name: string): boolean {
  return ALL_NAMES.has(name.toLowerCase());
}

/**
 * What of an object's metadata belongs to an envelope, by lower-case name. An empty value is as good as none: the Go
 * client sends `x-amz-m` and `x-amz-unencrypted-content-length` empty in every V3 object (its v4.0.0, seen on the
 * wire).
 *
 * @returns `undefined` when a name has two values, or one that isn't text: no client writes such a thing.
 */
export function envelopeValues(
  metadata: ObjectMetadata | undefined,
): ReadonlyMap<string, string> | undefined {
  const values = new Map<string, string>();
  // The values come from outside: the type is a promise of the caller, not a fact.
  const entries: readonly (readonly [string, unknown])[] = Object.entries(metadata ?? {});
  for (const [name, value] of entries) {
    const known = name.toLowerCase();
    if (!ALL_NAMES.has(known) || value === "" || value === undefined || value === null) continue;
    if (typeof value !== "string" || values.has(known)) return undefined;
    values.set(known, value);
  }
  return values;
}
