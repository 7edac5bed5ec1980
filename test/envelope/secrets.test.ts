/**
 * Nothing secret in what is said: all that a run against S3 and KMS over HTTP emits is searched for its data keys,
 * content keys and plaintext, in every form they could stand there; and the memory of keys is zero after `close`.
 */
import { inspect } from "node:util";
import { DisableKeyCommand, EnableKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { deriveForOpen } from "../../src/envelope/key-derivation.ts";
import { envelope, kmsKeyring, open, seal, type Keyring } from "../../src/envelope/index.ts";
import { bucketKeys } from "../../src/index.ts";
import { otel } from "../../src/otel/index.ts";
import { startSimulator, type Simulator } from "../../src/simulator/index.ts";
import { ManualReader } from "../otel/harness.ts";

/** Without white space, which the search takes out. */
const PLAINTEXT = Buffer.from("dear-Ada:the-engine-weaves-algebraical-patterns;tell-nobody!".repeat(3));
const SHOWN = { showHidden: true, depth: 12, maxArrayLength: Infinity, maxStringLength: Infinity };

/** The forms in which bytes may stand in a text, of which white space was taken out. */
const FORMS: Readonly<Record<string, (bytes: Buffer) => string>> = {
  hex: (bytes) => bytes.toString("hex"),
  "hex in capitals": (bytes) => bytes.toString("hex").toUpperCase(),
  base64: (bytes) => bytes.toString("base64"),
  base64url: (bytes) => bytes.toString("base64url"),
  latin1: (bytes) => bytes.toString("latin1"),
  "UTF-8": (bytes) => bytes.toString("utf8"),
  numbers: (bytes) => bytes.join(","),
};

/** Runs of a secret, long enough to be no accident, and at every place within the threes of base64. */
function runsOf(secret: Uint8Array): Buffer[] {
  const starts = [0, 1, 2, secret.length - 14, secret.length - 13, secret.length - 12];
  return starts.map((start) => Buffer.from(secret.subarray(start, start + 12)));
}

function dense(text: string): string {
  return text.replaceAll(/\s+/g, "");
}

/** What is said of a value, by whoever prints it. */
function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString("latin1")];
  const texts = [inspect(value, SHOWN), String(value)];
  if (!(value instanceof Error)) return texts;
  return [...texts, String(value.stack), JSON.stringify(value), ...(value.cause ? textsOf(value.cause) : [])];
}

/** Forms of secrets that stand in what was emitted. */
function leaks(emitted: readonly unknown[], secrets: readonly Uint8Array[]): string[] {
  const text = dense(emitted.flatMap(textsOf).join("\n"));
  const forms = Object.entries(FORMS).flatMap(([name, form]) =>
    secrets.flatMap(runsOf).map((run) => [name, dense(form(run))] as const),
  );
  return [...new Set(forms.filter(([, form]) => text.includes(form)).map(([name]) => name))];
}

describe("the search", () => {
  const secret = Uint8Array.from({ length: 32 }, (_, n) => 255 - n * 7);

  it.each(Object.keys(FORMS).filter((name) => name !== "UTF-8"))("finds %s", (form) => {
    for (const before of ["", "x", "xy"]) {
      const text = FORMS[form]!(Buffer.concat([Buffer.from(before), secret]));
      expect(leaks([`before ${text} after`], [secret])).toContain(form);
    }
  });

  it.each<[string, unknown]>([
    ["bytes", secret],
    ["bytes in an object", { deep: { down: [secret] } }],
    ["a Buffer in an error", Object.assign(new Error("no"), { body: Buffer.from(secret) })],
    ["a cause", new Error("no", { cause: new Error("why", { cause: { secret } }) })],
    [
      "a hidden property",
      Object.defineProperty(new Error("no"), "hidden", { value: secret, enumerable: false }),
    ],
    ["a message", new Error(Buffer.from(secret).toString("base64"))],
  ])("finds it in %s", (_, value) => {
    expect(leaks([value], [secret])).not.toEqual([]);
  });

  it("finds nothing elsewhere", () => {
    expect(leaks([new Error("no"), { other: Buffer.alloc(32, 7) }, "text"], [secret])).toEqual([]);
  });
});

/** Memory of 32 bytes that something was put into, and what, in hex. */
interface Cell {
  readonly memory: Uint8Array;
  readonly held: string;
}

function heldOneOf(secrets: readonly Buffer[]): (cell: Cell) => boolean {
  return ({ held }) => secrets.some((secret) => secret.toString("hex") === held);
}

const at = (Key: string): { Bucket: string; Key: string } => ({ Bucket: "vault", Key });

describe("a run that goes well and badly", () => {
  let sim: Simulator;
  /** All that was said, in any way. */
  const emitted: unknown[] = [];
  const errors: unknown[] = [];
  const dataKeys: Buffer[] = [];
  const contentKeys: Buffer[] = [];
  /** Arrays that data keys were handed over in. */
  const handedOver: Uint8Array[] = [];
  const cells: Cell[] = [];
  let liveBeforeClose = 0;

  function pass(key: Uint8Array): Uint8Array {
    dataKeys.push(Buffer.from(key));
    handedOver.push(key);
    return key;
  }

  /** Looks at the keys that pass. */
  function watched(keyring: Keyring): Keyring {
    return {
      keyId: keyring.keyId,
      async generate(context, options) {
        const made = await keyring.generate(context, options);
        return { ...made, plaintext: pass(made.plaintext) };
      },
      unwrap: async (...ask) => pass(await keyring.unwrap(...ask)),
    };
  }

  const failing = async (call: Promise<unknown>): Promise<void> => {
    errors.push(
      await call.then(
        () => expect.fail("It was to fail."),
        (error: unknown) => error,
      ),
    );
  };

  beforeAll(async () => {
    sim = await startSimulator({ buckets: ["vault"] });
    // oxlint-disable-next-line typescript/unbound-method -- called with its `this` below
    const { set } = Uint8Array.prototype;
    vi.spyOn(Uint8Array.prototype, "set").mockImplementation(function (this: Uint8Array, ...given) {
      set.apply(this, given);
      if (this.buffer.byteLength !== 32) return;
      cells.push({ memory: this, held: Buffer.from(this).toString("hex") });
    });
    for (const method of ["debug", "error", "info", "log", "trace", "warn", "dir", "table"] as const) {
      vi.spyOn(console, method).mockImplementation((...said: unknown[]) => void emitted.push(...said));
    }
    vi.spyOn(process, "emitWarning").mockImplementation((...said: unknown[]) => void emitted.push(...said));
    try {
      await run();
    } finally {
      vi.restoreAllMocks();
    }
  });
  afterAll(() => sim.close());

  async function run(): Promise<void> {
    const key = sim.createKmsKey();
    const collect = (...said: unknown[]): void => void emitted.push(...said);
    // The SDK's `info` shows inputs as the caller wrote them, plaintext too: that is the caller's to switch on.
    const logger = { debug() {}, info() {}, warn: collect, error: collect };
    const kms = new KMSClient({ ...sim.clientConfig, logger: { ...logger, debug: collect, info: collect } });
    const raw = new S3Client(sim.clientConfig);
    const keyring = watched(kmsKeyring({ client: kms, keyId: key.arn }));
    const reader = new ManualReader();
    const telemetry = otel({ meterProvider: new MeterProvider({ readers: [reader] }) });
    const headObject = (input: { Bucket: string; Key: string }) => raw.send(new HeadObjectCommand(input));
    const sealer = envelope({
      keyring,
      headObject,
      ranges: "verified",
      encryptionContext: { tenant: "blue" },
    });
    const plugin = bucketKeys({ envelope: sealer, telemetry, logger });
    const s3 = new S3Client({ ...sim.clientConfig, logger, maxAttempts: 1 });
    s3.middlewareStack.use(plugin);
    const put = (Key: string, input: object = {}) =>
      s3.send(new PutObjectCommand({ ...at(Key), Body: PLAINTEXT, ...input }));
    const read = async (Key: string, input: object = {}): Promise<string> => {
      const { Body } = await s3.send(new GetObjectCommand({ ...at(Key), ...input }));
      return (await Body?.transformToString()) ?? "";
    };

    await put("bytes");
    await put("stream", { Body: new Blob([PLAINTEXT]).stream(), ContentLength: PLAINTEXT.length });
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(at("parts")));
    const part = { ...at("parts"), UploadId, PartNumber: 1 };
    const { ETag } = await s3.send(new UploadPartCommand({ ...part, Body: PLAINTEXT }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await s3.send(new CompleteMultipartUploadCommand({ ...at("parts"), UploadId, MultipartUpload }));
    await s3.send(new CopyObjectCommand({ ...at("copy"), CopySource: "vault/bytes" }));
    for (const Key of ["bytes", "stream", "parts", "copy"]) expect(await read(Key)).toBe(String(PLAINTEXT));
    expect(await read("bytes", { Range: "bytes=5-70" })).toBe(PLAINTEXT.toString("utf8", 5, 71));
    const outside = await seal(sealer, PLAINTEXT);
    expect(Buffer.from(await open(sealer, outside.body, outside.metadata)).equals(PLAINTEXT)).toBe(true);

    // And badly, with keys and plaintext at hand.
    const { Metadata } = await headObject(at("bytes"));
    const stored = await (await raw.send(new GetObjectCommand(at("bytes")))).Body!.transformToByteArray();
    stored[3]! ^= 1;
    await raw.send(new PutObjectCommand({ ...at("altered"), Body: stored, Metadata: Metadata! }));
    await raw.send(new PutObjectCommand({ ...at("plain"), Body: PLAINTEXT }));
    await failing(read("altered"));
    await failing(read("altered", { Range: "bytes=0-9" }));
    await failing(read("plain"));
    await failing(read("missing"));
    await failing(read("bytes", { PartNumber: 1 }));
    await failing(open(sealer, outside.body, outside.metadata, { encryptionContext: { tenant: "red" } }));
    await failing(put("k", { ContentMD5: "1B2M2Y8AsgTpgAmY7PhCfg==" }));
    await failing(put("k", { ContentLength: 1 }));
    await failing(put("k", { Body: { text: PLAINTEXT } }));
    await failing(put("k", { Metadata: { long: "x".repeat(2000) } }));
    await failing(s3.send(new UploadPartCommand({ ...part, Body: PLAINTEXT })));
    await failing(s3.send(new CopyObjectCommand({ ...at("copy"), CopySource: "vault/plain" })));
    for (const code of ["AccessDenied", "InternalError"] as const) {
      sim.injectFault({ operation: "PutObject", times: 1, fault: { kind: "error", code } });
      await failing(put("k"));
    }
    sim.injectFault({ operation: "PutObject", times: 1, fault: { kind: "reset", moment: "before-answer" } });
    await failing(put("k"));
    await kms.send(new DisableKeyCommand({ KeyId: key.arn }));
    sealer.evict();
    await failing(put("k"));
    await failing(read("bytes"));
    await kms.send(new EnableKeyCommand({ KeyId: key.arn }));
    sealer.evict();
    await put("bytes");
    await read("bytes");

    for (const Key of ["bytes", "stream", "parts", "copy"]) {
      contentKeys.push(...contentKeysOf((await headObject(at(Key))).Metadata));
    }
    contentKeys.push(...contentKeysOf(outside.metadata));
    emitted.push(plugin.stats(), await reader.collect());
    liveBeforeClose = live(dataKeys);
    await sealer.close();
    await failing(put("k"));
    emitted.push(...errors, plugin.stats(), plugin, sealer, keyring);
    await plugin.close();
    for (const client of [s3, raw, kms]) client.destroy();
  }

  /** Whichever data key it is under. */
  function contentKeysOf(metadata: Readonly<Record<string, string>> = {}): Buffer[] {
    const [messageId, commitment] = ["x-amz-i", "x-amz-d"].map((name) =>
      Uint8Array.from(Buffer.from(String(metadata[name]), "base64")),
    );
    return dataKeys.flatMap((dataKey) => {
      const contentKey = deriveForOpen(Uint8Array.from(dataKey), messageId!, commitment!);
      if (contentKey === undefined) return [];
      const copy = Buffer.from(contentKey);
      // This one is ours to wipe.
      contentKey.fill(0);
      return [copy];
    });
  }

  /** Cells that hold one of the secrets now. */
  function live(secrets: readonly Buffer[]): number {
    return cells.filter(({ memory }) => secrets.some((secret) => secret.equals(memory))).length;
  }

  it("was watched: keys and content keys came by, errors of all kinds were thrown, and something was said", () => {
    expect(dataKeys.length).toBeGreaterThanOrEqual(4);
    expect(contentKeys.length).toBeGreaterThanOrEqual(5);
    expect(cells.some(heldOneOf(dataKeys))).toBe(true);
    expect(cells.some(heldOneOf(contentKeys))).toBe(true);
    expect(liveBeforeClose).toBeGreaterThan(0);
    const codes = errors.map((error) => (error as { code?: string }).code);
    expect(codes).toEqual(
      expect.arrayContaining([
        "ERR_BUCKET_KEY_INTEGRITY",
        "ERR_BUCKET_KEY_NOT_SEALED",
        "ERR_BUCKET_KEY_ENVELOPE_REFUSED",
        "ERR_BUCKET_KEY_KMS",
        undefined,
      ]),
    );
    expect(inspect(emitted, SHOWN)).toContain("s3_bucket_key.kms.request.duration");
    expect(inspect(emitted, SHOWN)).toContain("GenerateDataKey");
  });

  it("says nothing of its data keys", () => {
    expect(leaks(emitted, dataKeys)).toEqual([]);
  });

  it("says nothing of its content keys", () => {
    expect(leaks(emitted, contentKeys)).toEqual([]);
  });

  it("says nothing of its plaintext", () => {
    expect(leaks(emitted, [PLAINTEXT])).toEqual([]);
  });

  it("leaves no key in memory of ours after close", () => {
    const ours = cells.filter(heldOneOf([...dataKeys, ...contentKeys]));
    expect(ours.length).toBeGreaterThan(8);
    for (const { memory } of ours) expect(memory).toEqual(new Uint8Array(32));
    for (const array of handedOver) expect(array).toEqual(new Uint8Array(32));
  });
});
