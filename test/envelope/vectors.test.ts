/** Every object of test/vectors, by the entry that users have: opened whole, in pieces and byte by byte, or refused. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { envelope, EnvelopeIntegrityError, open } from "../../src/envelope/index.ts";
import type { Envelope, EnvelopeOptions, Keyring } from "../../src/envelope/index.ts";

interface Vectors {
  readonly kms: Readonly<Record<string, { plaintext: string; encryptionContext: Record<string, string> }>>;
  readonly objects: readonly {
    /** What the writer called it; the Go client's have none. */
    readonly name?: string;
    readonly format: "V3" | "V2" | "V1";
    readonly size: number;
    readonly userContext: Readonly<Record<string, string>>;
    /** Whether the stored context isn't the one that KMS was told. */
    readonly contextLost?: true;
    readonly plaintextSha256: string;
    readonly body: string;
    readonly metadata: Readonly<Record<string, string>>;
    readonly instructionFile?: { readonly body: string };
  }[];
}
type Vector = Vectors["objects"][number];

const FILES = ["s3ec-go", "s3ec-python", "s3ec-java", "s3ec-legacy"] as const;

const read = (file: string): Vectors =>
  JSON.parse(readFileSync(new URL(`../vectors/${file}.json`, import.meta.url), "utf8")) as Vectors;

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** KMS as it answered, or would answer: it goes by the blob and the exact context. */
function keyringOf(kms: Vectors["kms"]): Keyring {
  return {
    keyId: "alias/vectors",
    generate: () => Promise.reject(new Error("nothing is sealed here")),
    async unwrap(blob, context) {
      const answer = kms[Buffer.from(blob).toString("base64")];
      if (answer === undefined || !sameEntries(answer.encryptionContext, context)) {
        throw new EnvelopeIntegrityError();
      }
      return new Uint8Array(Buffer.from(answer.plaintext, "base64"));
    },
  };
}

function sameEntries(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  return (
    Object.keys(a).length === Object.keys(b).length &&
    Object.entries(a).every(([name, value]) => b[name] === value)
  );
}

/** All that can be allowed. */
function lenient(kms: Vectors["kms"], { instructionFile }: Vector): EnvelopeOptions {
  return {
    keyring: keyringOf(kms),
    commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT",
    legacyWrappingAlgorithms: true,
    legacyUnauthenticatedModes: true,
    // Not the vector's bytes themselves: what it gives is wiped.
    unwrapLegacyKey: ({ blob }) =>
      Promise.resolve(
        new Uint8Array(Buffer.from(kms[Buffer.from(blob).toString("base64")]?.plaintext ?? "", "base64")),
      ),
    ...(instructionFile && {
      instructionFiles: {},
      getObject: () => Promise.resolve({ Body: instructionFile.body }),
    }),
  };
}

/** What comes out, and how it was put in. */
const ROADS: Readonly<Record<string, (sealer: Envelope, vector: Vector) => Promise<Uint8Array>>> = {
  whole: (sealer, { body, metadata, userContext }) =>
    open(sealer, Buffer.from(body, "base64"), metadata, { key: "object", encryptionContext: userContext }),
  "in pieces": (sealer, vector) => streamed(sealer, vector, 37),
  "byte by byte": (sealer, vector) => streamed(sealer, vector, 1),
};

async function streamed(sealer: Envelope, vector: Vector, pieceBytes: number): Promise<Uint8Array> {
  const bytes = Buffer.from(vector.body, "base64");
  function* pieces(): Generator<Buffer> {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }
  const source = Readable.from(pieces(), { objectMode: false });
  const options = { key: "object", encryptionContext: vector.userContext };
  const opened = await open(sealer, source, vector.metadata, options);
  return Buffer.concat(await opened.toArray());
}

/** `opens` when the right plaintext comes out; else the problem or the code of the error. */
async function outcome(road: string, options: EnvelopeOptions, vector: Vector): Promise<string> {
  const sealer = envelope(options);
  try {
    const plaintext = await ROADS[road]!(sealer, vector);
    return sha256(plaintext) === vector.plaintextSha256 && plaintext.length === vector.size
      ? "opens"
      : "opens as something else";
  } catch (error) {
    const { problem, code } = error as { problem?: string; code?: string };
    return String(problem ?? code);
  } finally {
    await sealer.close();
  }
}

const INTEGRITY = "ERR_BUCKET_KEY_INTEGRITY";

/** What becomes of it when nothing is allowed beyond the defaults. */
function byDefault({ format, instructionFile, contextLost, metadata }: Vector): string {
  if (instructionFile === undefined) {
    if (format === "V3") return contextLost ? INTEGRITY : "opens";
    return "commitment-policy";
  }
  if (format === "V3") return "instruction-file";
  // A note of the plaintext's length alone is no envelope, but a sign of one.
  return Object.keys(metadata).length === 0 ? "ERR_BUCKET_KEY_NOT_SEALED" : INTEGRITY;
}

const named = ({ name, format, size, userContext }: Vector): string =>
  name ?? `${format}, ${size} bytes, context ${JSON.stringify(userContext)}`;

describe.each(FILES)("%s.json", (file) => {
  const { kms, objects } = read(file);
  const vectors = objects.map((vector) => [named(vector), vector] as const);

  it("holds objects", () => {
    expect(objects.length).toBeGreaterThan(10);
  });

  it.each(vectors)("%s: opens where it is allowed", async (_, vector) => {
    for (const road of Object.keys(ROADS)) {
      const came = await outcome(road, lenient(kms, vector), vector);
      expect([road, came]).toEqual([road, vector.contextLost ? INTEGRITY : "opens"]);
    }
  });

  it.each(vectors)("%s: by default opens only with a commitment of its own", async (_, vector) => {
    expect(await outcome("whole", { keyring: keyringOf(kms) }, vector)).toBe(byDefault(vector));
  });

  it.each(vectors)("%s: not under another context", async (_, vector) => {
    const userContext = { ...vector.userContext, more: "x" };
    const came = await outcome("whole", lenient(kms, vector), { ...vector, userContext });
    expect([INTEGRITY, "encryption-context"]).toContain(came);
  });
});
