/** Which calls go through the option `envelope`. The sealer here only writes down what it is asked. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectAnnotationCommand,
  PutObjectCommand,
  RenameObjectCommand,
  type S3Client,
  SelectObjectContentCommand,
  UpdateObjectEncryptionCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  WriteGetObjectResponseCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { describe, expect, it, vi } from "vitest";
import {
  type BodySealer,
  bucketKeys,
  type BucketKeysOptions,
  definePolicy,
  type PolicySource,
  type SealedCall,
} from "../src/index.ts";
import { FLAG, stubClient } from "./support/stub-client.ts";

const silent = { warn: () => {} };
const at = { Bucket: "vault", Key: "k" };
const upload = { ...at, UploadId: "u" };
const policy = definePolicy({
  version: 1,
  rules: [
    {
      id: "vault",
      reason: "r",
      envelope: "seal",
      bucketKey: "on",
      mode: "off",
      match: { buckets: ["vault"] },
    },
    { id: "old", reason: "r", envelope: "unseal", match: { buckets: ["old"] } },
  ],
});

type Asked = Pick<SealedCall, "operation" | "place" | "presigning"> & { readonly bucket: unknown };

function recordingSealer(owned = false): { sealer: BodySealer; asked: Asked[]; scopes: object[] } {
  const asked: Asked[] = [];
  const scopes: object[] = [];
  const sealer: BodySealer = {
    name: "recorder",
    ownsUpload: ({ input }) => owned && input["UploadId"] !== undefined,
    send({ operation, place, presigning, input, scope, next, observe }) {
      asked.push({ operation, place, presigning, bucket: input["Bucket"] });
      scopes.push(scope);
      observe({ kind: "io", direction: "seal", bytes: 5 });
      return next({ ...input, Metadata: { sealed: "yes" } });
    },
  };
  return { sealer, asked, scopes };
}

/** What happens to a command: the word of a refusal, or whether it went through the sealer. */
async function sendOne(
  command: unknown,
  options: BucketKeysOptions,
  asked: readonly Asked[],
): Promise<string> {
  const { client, sent } = stubClient(() => ({ body: BODY }));
  client.middlewareStack.use(bucketKeys({ logger: silent, ...options }));
  const before = asked.length;
  const why = await (client.send as (command: unknown) => Promise<unknown>)(command).then(
    () => undefined,
    // The stub's answer is no event stream; what counts is whether and how it was asked.
    (error: { why?: string }) => error.why,
  );
  expect(sent.length > 0).toBe(why === undefined);
  if (why !== undefined) return why;
  return asked.length === before ? "passed" : (asked.at(-1)?.place ?? "");
}

const broken = (): never => {
  throw new Error("what was asked is down");
};

/** Every field that an answer of these operations needs. */
const BODY = "<R><UploadId>u</UploadId><ETag>e</ETag></R>";

const COMMANDS: readonly [
  name: string,
  command: (bucket: string) => unknown,
  sealed: string,
  alone: string,
][] = [
  ["PutObject", (Bucket) => new PutObjectCommand({ ...at, Bucket, Body: "x" }), "seal", "refused-seal"],
  ["GetObject", (Bucket) => new GetObjectCommand({ ...at, Bucket }), "seal", "refused-seal"],
  ["HeadObject", (Bucket) => new HeadObjectCommand({ ...at, Bucket }), "seal", "refused-seal"],
  [
    "CopyObject",
    (Bucket) => new CopyObjectCommand({ ...at, Bucket, CopySource: "b/k" }),
    "seal",
    "refused-seal",
  ],
  [
    "RenameObject",
    (Bucket) => new RenameObjectCommand({ ...at, Bucket, RenameSource: "k" }),
    "seal",
    "refused-seal",
  ],
  [
    "CreateMultipartUpload",
    (Bucket) => new CreateMultipartUploadCommand({ ...at, Bucket }),
    "seal",
    "refused-seal",
  ],
  [
    "UploadPart",
    (Bucket) => new UploadPartCommand({ ...upload, Bucket, PartNumber: 1, Body: "x" }),
    "seal",
    "refused-seal",
  ],
  [
    "UploadPartCopy",
    (Bucket) => new UploadPartCopyCommand({ ...upload, Bucket, PartNumber: 1, CopySource: "b/k" }),
    "refused-seal",
    "refused-seal",
  ],
  [
    "CompleteMultipartUpload",
    (Bucket) => new CompleteMultipartUploadCommand({ ...upload, Bucket }),
    "seal",
    "refused-seal",
  ],
  [
    "AbortMultipartUpload",
    (Bucket) => new AbortMultipartUploadCommand({ ...upload, Bucket }),
    "seal",
    "passed",
  ],
  [
    "SelectObjectContent",
    (Bucket) =>
      new SelectObjectContentCommand({
        ...at,
        Bucket,
        Expression: "e",
        ExpressionType: "SQL",
        InputSerialization: {},
        OutputSerialization: {},
      }),
    "seal",
    "refused-seal",
  ],
  [
    "PutObjectAnnotation",
    (Bucket) =>
      new PutObjectAnnotationCommand({ ...at, Bucket, AnnotationName: "n", AnnotationPayload: "x" }),
    "seal",
    "refused-seal",
  ],
  ["DeleteObject", (Bucket) => new DeleteObjectCommand({ ...at, Bucket }), "passed", "passed"],
];

describe("a place that seals", () => {
  it.each(COMMANDS)("has %s sealed, or refused without a sealer", async (_name, command, sealed, alone) => {
    const { sealer, asked } = recordingSealer();
    expect(await sendOne(command("vault"), { policy, envelope: sealer }, asked)).toBe(sealed);
    expect(await sendOne(command("vault"), { policy }, asked)).toBe(alone);
  });

  it.each(COMMANDS)("is no other place: %s passes, by either client", async (_name, command) => {
    const { sealer, asked } = recordingSealer();
    expect(await sendOne(command("elsewhere"), { policy, envelope: sealer }, asked)).toBe("passed");
    expect(await sendOne(command("elsewhere"), { policy }, asked)).toBe("passed");
  });

  it("is not weakened by mode or incident switch", async () => {
    vi.stubEnv("S3_BUCKET_KEYS_MODE", "off");
    const { sealer, asked } = recordingSealer();
    const put = new PutObjectCommand({ ...at, Body: "x" });
    expect(await sendOne(put, { policy, mode: "off", envelope: sealer }, asked)).toBe("seal");
    vi.unstubAllEnvs();
  });

  it("may be meant by WriteGetObjectResponse, which names no bucket", async () => {
    const { sealer, asked } = recordingSealer();
    const respond = new WriteGetObjectResponseCommand({ RequestRoute: "r", RequestToken: "t", Body: "x" });
    expect(await sendOne(respond, { policy, envelope: sealer }, asked)).toBe("seal");
    expect(await sendOne(respond, { policy }, asked)).toBe("refused-seal");
    const open = definePolicy({ version: 1, rules: [{ id: "o", reason: "r", envelope: "unseal" }] });
    expect(await sendOne(respond, { policy: open, envelope: sealer }, asked)).toBe("passed");
  });

  it("lets a server change an object's own encryption, which moves no bytes of ours", async () => {
    const { sealer, asked } = recordingSealer();
    const update = new UpdateObjectEncryptionCommand({ ...at, ObjectEncryption: { SSES3: {} } } as never);
    expect(await sendOne(update, { policy, envelope: sealer }, asked)).toBe("passed");
  });

  it("is found again for every request of a kind", async () => {
    const { sealer, asked } = recordingSealer();
    const { client, sent } = stubClient();
    client.middlewareStack.use(bucketKeys({ policy, envelope: sealer }));
    for (let i = 0; i < 3; i++) {
      await client.send(new PutObjectCommand({ ...at, Body: "x" }));
      await client.send(new HeadObjectCommand(at));
    }
    expect(asked).toHaveLength(6);
    expect(
      sent.filter(({ method }) => method === "PUT").map(({ headers }) => headers["x-amz-meta-sealed"]),
    ).toEqual(["yes", "yes", "yes"]);
  });
});

describe("a place that unseals", () => {
  it("has its objects opened, and its writes seen", async () => {
    const { sealer, asked } = recordingSealer();
    for (const command of [
      new GetObjectCommand({ ...at, Bucket: "old" }),
      new HeadObjectCommand({ ...at, Bucket: "old" }),
    ]) {
      expect(await sendOne(command, { policy, envelope: sealer }, asked)).toBe("unseal");
    }
    expect(
      await sendOne(
        new PutObjectCommand({ ...at, Bucket: "old", Body: "x" }),
        { policy, envelope: sealer },
        asked,
      ),
    ).toBe("unseal");
    expect(await sendOne(new GetObjectCommand({ ...at, Bucket: "old" }), { policy }, asked)).toBe("passed");
  });
});

describe("an upload that was begun sealed", () => {
  it("stays so when the policy no longer says so", async () => {
    const { sealer, asked } = recordingSealer(true);
    const elsewhere = { ...upload, Bucket: "elsewhere" };
    for (const command of [
      new UploadPartCommand({ ...elsewhere, PartNumber: 1, Body: "x" }),
      new CompleteMultipartUploadCommand(elsewhere),
      new AbortMultipartUploadCommand(elsewhere),
    ]) {
      expect(await sendOne(command, { policy, envelope: sealer }, asked)).toBe("seal");
    }
  });

  it("is one client's own", async () => {
    const { sealer, scopes } = recordingSealer();
    const plugin = bucketKeys({ policy, envelope: sealer });
    const clients: S3Client[] = [stubClient().client, stubClient().client];
    for (const client of clients) {
      client.middlewareStack.use(plugin);
      await client.send(new HeadObjectCommand(at));
      await client.send(new HeadObjectCommand(at));
    }
    const [first, again, second, last] = scopes;
    expect(again).toBe(first);
    expect(last).toBe(second);
    expect(second).not.toBe(first);
  });
});

describe("a presigned URL of a place that seals", () => {
  it("hands out what is stored, and takes nothing in", async () => {
    const { sealer, asked } = recordingSealer();
    const { client } = stubClient();
    client.middlewareStack.use(bucketKeys({ policy, envelope: sealer, logger: silent }));
    await expect(getSignedUrl(client, new GetObjectCommand(at))).resolves.toContain("X-Amz-Signature");
    expect(asked.map(({ presigning }) => presigning)).toEqual([true]);
    for (const command of [
      new PutObjectCommand(at),
      new UploadPartCommand({ ...upload, PartNumber: 1 }),
      new CreateMultipartUploadCommand(at),
    ]) {
      await expect(getSignedUrl(client, command as PutObjectCommand)).rejects.toThrow("refused-seal");
    }
  });
});

describe("without a policy", () => {
  it("everything is sealed, and bucket keys are as without a sealer", async () => {
    const { sealer, asked } = recordingSealer();
    const { client, sent } = stubClient();
    const plugin = bucketKeys({ envelope: sealer, mode: "enforce" });
    client.middlewareStack.use(plugin);
    await client.send(new PutObjectCommand({ ...at, Body: "x", ServerSideEncryption: "aws:kms" }));
    expect(asked.map(({ place }) => place)).toEqual(["seal"]);
    expect(sent[0]?.headers[FLAG]).toBe("true");
  });

  it("a refusal asks for one, and for no change of what nobody wrote", async () => {
    const { client } = stubClient();
    client.middlewareStack.use(bucketKeys({ envelope: recordingSealer().sealer }));
    const refused = getSignedUrl(client, new PutObjectCommand(at));
    await expect(refused).rejects.toThrow("Or give bucketKeys a policy of your own, with envelope: seal in");
    await expect(refused).rejects.not.toThrow("change the policy");
  });
});

const neverLoaded = (failure: "fail-open" | "fail-closed"): PolicySource => ({
  current: () => ({ failure }),
  subscribe: () => () => {},
  close: () => {},
});

describe("a policy that never loaded", () => {
  it("lets no body pass beside a sealer, in or out, whatever the mode", async () => {
    const { sealer, asked } = recordingSealer();
    const options = { policy: neverLoaded("fail-closed"), envelope: sealer, mode: "audit" } as const;
    for (const [name, command] of COMMANDS) {
      const passes = ["DeleteObject", "AbortMultipartUpload"].includes(name);
      expect(await sendOne(command("vault"), options, asked)).toBe(passes ? "passed" : "refused-policy");
    }
    expect(await sendOne(new GetObjectCommand(at), { ...options, envelope: undefined as never }, asked)).toBe(
      "passed",
    );
    const select = COMMANDS.find(([name]) => name === "SelectObjectContent")?.[1]("vault");
    expect(await sendOne(select, { policy: neverLoaded("fail-closed") }, asked)).toBe("passed");
  });

  it("can't fail open beside a sealer", () => {
    const { sealer } = recordingSealer();
    expect(() => bucketKeys({ policy: neverLoaded("fail-open"), envelope: sealer })).toThrow(
      "onError: fail-closed",
    );
  });
});

describe("what doesn't fit together", () => {
  it("is said when the plugin is made, and by every refusal: a rule that seals, without a sealer", async () => {
    const warn = vi.fn();
    const { client } = stubClient();
    client.middlewareStack.use(bucketKeys({ policy, logger: { warn } }));
    expect(warn.mock.calls.map(([message]) => message as string)).toEqual([
      expect.stringMatching(/Rule vault says envelope: seal.*no option envelope/),
    ]);
    await expect(client.send(new HeadObjectCommand(at))).rejects.toThrow(
      "Either give bucketKeys the option envelope, envelope({ keyring }) of s3-bucket-keys/envelope. Or change the policy",
    );
  });

  it.each([
    ["rules", { version: 1, rules: [{ id: "r", reason: "r", bucketKey: "on" }] }],
    ["no rules", { version: 1 }],
  ] as const)("is an error: a sealer that no rule asks for, in a policy with %s", (_what, plain) => {
    const options = { policy: definePolicy(plain), envelope: recordingSealer().sealer };
    expect(() => bucketKeys(options)).toThrow(/no rule of the policy names envelope.*envelope: leave/);
  });

  it("is not said of what does", () => {
    const warn = vi.fn();
    bucketKeys({ policy, envelope: recordingSealer().sealer, logger: { warn } });
    bucketKeys({ envelope: recordingSealer().sealer, logger: { warn } });
    expect(warn).not.toHaveBeenCalled();
  });

  it("is an option that can't seal", () => {
    expect(() => bucketKeys({ envelope: {} as never })).toThrow(
      "give a sealer such as envelope({ keyring }), called",
    );
  });
});

describe("what happened while sealing", () => {
  it("is counted, and told to the telemetry until the plugin is closed", async () => {
    const { sealer } = recordingSealer();
    const measure = vi.fn();
    const plugin = bucketKeys({ policy, envelope: sealer, telemetry: { attach: () => () => {}, measure } });
    const { client } = stubClient();
    client.middlewareStack.use(plugin);
    await client.send(new PutObjectCommand({ ...at, Body: "x" }));
    expect(plugin.stats().envelope?.sealedBytes).toBe(5);
    expect(measure.mock.calls).toEqual([[{ kind: "io", direction: "seal", bytes: 5 }]]);
    await plugin.close();
    await client.send(new PutObjectCommand({ ...at, Body: "x" }));
    expect(measure).toHaveBeenCalledTimes(1);
    expect(plugin.stats().envelope?.sealedBytes).toBe(10);
  });

  it("harms no request when the telemetry fails", async () => {
    const { sealer } = recordingSealer();
    const plugin = bucketKeys({
      policy,
      envelope: sealer,
      telemetry: { attach: () => () => {}, measure: broken },
    });
    const { client } = stubClient();
    client.middlewareStack.use(plugin);
    await client.send(new PutObjectCommand({ ...at, Body: "x" }));
    expect(plugin.stats().errors).toEqual([{ type: "_OTHER", phase: "telemetry", count: 1 }]);
  });
});

describe("a place is known by its names as the SDK writes them", () => {
  const dated = definePolicy({
    version: 1,
    rules: [{ id: "d", reason: "r", envelope: "seal", match: { buckets: ["vault"], prefixes: ["20"] } }],
  });

  it.each([
    ["a number", "vault", 2024],
    ["a String object", "vault", Object("2024x")],
    ["an array", "vault", ["2024y"]],
    ["an object with toString", "vault", { toString: () => "2024z" }],
    ["a bucket that is a String object", Object("vault"), "2024"],
  ])("%s", async (_what, Bucket, Key) => {
    const { sealer, asked } = recordingSealer();
    const put = new PutObjectCommand({ Bucket, Key, Body: "x" });
    expect(await sendOne(put, { policy: dated, envelope: sealer }, asked)).toBe("seal");
  });

  it("rejects for a name that can't be written at all", async () => {
    const { client } = stubClient();
    client.middlewareStack.use(bucketKeys({ policy: dated, envelope: recordingSealer().sealer }));
    const nameless = Object.create(null) as string;
    await expect(
      client.send(new PutObjectCommand({ Bucket: "vault", Key: nameless, Body: "x" })),
    ).rejects.toThrow("nobody knows");
  });

  it("rejects for such a name also where the key makes no difference, and such a request was seen before", async () => {
    const { client } = stubClient();
    client.middlewareStack.use(bucketKeys({ policy, envelope: recordingSealer().sealer }));
    await client.send(new PutObjectCommand({ ...at, Body: "x" }));
    const put = new PutObjectCommand({ ...at, Key: Object.create(null) as string, Body: "x" });
    await expect(client.send(put)).rejects.toThrow(TypeError);
  });
});

describe("a bucket that resolveBucket should know", () => {
  const asked: Asked[] = [];

  it.each([
    ["throws", () => broken()],
    ["answers with a promise", async () => "vault"],
    ["answers with a number", () => 7],
  ])("refuses whatever moves a body when it %s, where anything seals", async (_what, resolve) => {
    const resolveBucket = resolve as unknown as () => string;
    const warn = vi.fn();
    const options = { policy, envelope: recordingSealer().sealer, resolveBucket, logger: { warn } };
    for (const [name, command] of COMMANDS) {
      const expected = name === "DeleteObject" ? "passed" : "refused-seal";
      expect(await sendOne(command("other"), options, asked)).toBe(expected);
    }
    expect(warn.mock.calls[0]?.[0]).toContain("nobody knows whether this place seals");
    // Where nothing seals, the request goes on under the name the caller gave.
    const open = { policy: definePolicy({ version: 1 }), resolveBucket, logger: silent };
    expect(await sendOne(new PutObjectCommand({ ...at, Body: "x" }), open, asked)).toBe("passed");
  });

  it.each([
    ["arn:aws:s3:eu-west-1:111122223333:accesspoint/vault-readers", 1],
    ["vault-readers-abcdefghijklmnopqrstuvwxyz-s3alias", 1],
    ["data--euw1-az1--x-s3", 0],
    ["points--euw1-az1--xa-s3", 1],
  ])("is spoken of once, where %s matches no rule by its own name", async (point, times) => {
    const warn = vi.fn();
    const { client } = stubClient();
    client.middlewareStack.use(bucketKeys({ policy, envelope: recordingSealer().sealer, logger: { warn } }));
    for (let i = 0; i < 2; i++) {
      // What becomes of the request afterwards, such as a session with S3, is not the point.
      await client.send(new PutObjectCommand({ Bucket: point, Key: "k", Body: "x" })).catch(() => {});
      await client.send(new HeadObjectCommand({ Bucket: point, Key: "k" })).catch(() => {});
    }
    expect(warn.mock.calls.map(([said]) => said as string)).toEqual(
      Array(times).fill(expect.stringMatching(/its bodies are not sealed.*resolveBucket/)),
    );
    const resolved = recordingSealer();
    expect(
      await sendOne(
        new PutObjectCommand({ Bucket: point, Key: "k", Body: "x" }),
        { policy, envelope: resolved.sealer, resolveBucket: () => "vault" },
        resolved.asked,
      ),
    ).toBe("seal");
  });
});

const neverFound = { lookup: async (): Promise<"lookup-failed"> => "lookup-failed" };

describe("a bucket's name in a message", () => {
  it("puts no line of its own into a log", async () => {
    const warn = vi.fn();
    const { client } = stubClient();
    const everywhere = definePolicy({ version: 1, rules: [{ id: "e", reason: "r", envelope: "seal" }] });
    client.middlewareStack.use(bucketKeys({ policy: everywhere, logger: { warn } }));
    const put = client.send(new PutObjectCommand({ Bucket: "a\nFAKE LINE", Key: "k", Body: "x" }));
    await expect(put).rejects.toMatchObject({ bucket: "a\nFAKE LINE" });
    const said = warn.mock.calls.map(([message]) => message as string);
    expect(said.at(-1)).toContain(String.raw`to bucket "a\nFAKE LINE" was refused`);
    expect(said.join("")).not.toContain("\n");
  });
});

describe("an upload whose id is no plain string", () => {
  it("is recognised all the same", async () => {
    const known: unknown[] = [];
    const sealer: BodySealer = {
      name: "ids",
      ownsUpload: ({ input }) => known.push(input["UploadId"], input["Key"]) > 0,
      send: ({ input, next }) => next(input),
    };
    const { client } = stubClient();
    client.middlewareStack.use(bucketKeys({ policy, envelope: sealer }));
    const part = { Bucket: "elsewhere", Key: 7, UploadId: ["u"], PartNumber: 1, Body: "x" };
    await client.send(new UploadPartCommand(part as never));
    expect(known).toEqual(["u", "7"]);
  });
});

describe("one input used again for the next call", () => {
  it("reaches the sealer as it was, metadata and all", async () => {
    const seen: unknown[] = [];
    const sealer: BodySealer = {
      name: "late",
      ownsUpload: () => false,
      async send({ input, next }) {
        await Promise.resolve();
        seen.push([input["Key"], input["Metadata"]]);
        return next(input);
      },
    };
    const { client, sent } = stubClient();
    client.middlewareStack.use(bucketKeys({ policy, envelope: sealer }));
    const params = { Bucket: "vault", Key: "", Body: "x", Metadata: { of: "" } };
    const puts = ["A", "B", "C"].map((name) => {
      params.Key = name;
      params.Metadata.of = name;
      return client.send(new PutObjectCommand(params));
    });
    await Promise.all(puts);
    expect(seen).toEqual(["A", "B", "C"].map((name) => [name, { of: name }]));
    expect(sent.map(({ path }) => path)).toEqual(["/A", "/B", "/C"]);
  });

  it("is sent as it was when a write waits for a lookup", async () => {
    const looking = definePolicy({
      version: 1,
      defaults: { bucketKey: "on", mode: "enforce", whenSseUnset: "lookup" },
    });
    const { client, sent } = stubClient();
    client.middlewareStack.use(bucketKeys({ policy: looking, bucketDefaults: neverFound, logger: silent }));
    const params = { Bucket: "lake", Key: "", Body: "x" };
    const puts = ["A", "B"].map((name) => {
      params.Key = name;
      return client.send(new PutObjectCommand(params));
    });
    await Promise.all(puts);
    expect(sent.map(({ path }) => path)).toEqual(["/A", "/B"]);
  });
});

describe("a write that the policy amends", () => {
  it("is sealed as well, and isn't taken for presigning", async () => {
    const amending = definePolicy({
      version: 1,
      rules: [{ id: "v", reason: "r", envelope: "seal", bucketKey: "on", mode: "enforce" }],
    });
    const { sealer, asked } = recordingSealer();
    const { client, sent } = stubClient();
    client.middlewareStack.use(bucketKeys({ policy: amending, envelope: sealer }));
    for (const command of [
      new PutObjectCommand({ ...at, Body: "x", ServerSideEncryption: "aws:kms" }),
      new PutObjectCommand({ ...at, Body: "x", ServerSideEncryption: "aws:kms" }),
    ]) {
      await client.send(command);
    }
    expect(asked.map(({ presigning }) => presigning)).toEqual([false, false]);
    expect(sent.map(({ headers }) => headers[FLAG])).toEqual(["true", "true"]);
  });
});

describe("the way of a part that a sealer keeps", () => {
  it("doesn't keep the part's plaintext, and can be gone again", async () => {
    const ways: SealedCall["next"][] = [];
    const sealer: BodySealer = {
      name: "keeper",
      ownsUpload: () => true,
      send({ next }) {
        ways.push(next);
        return next({ ...upload, PartNumber: 1, Body: "sealed" });
      },
    };
    const { client, sent } = stubClient();
    client.middlewareStack.use(bucketKeys({ policy, envelope: sealer }));
    const sendPart = async (): Promise<WeakRef<Uint8Array>> => {
      const Body = new Uint8Array(1000);
      await client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body }));
      return new WeakRef(Body);
    };
    const plaintext = await sendPart();
    await new Promise((resolve) => setImmediate(resolve));
    setFlagsFromString("--expose-gc");
    (runInNewContext("gc") as () => void)();
    expect(plaintext.deref()).toBeUndefined();
    await ways[0]?.({ ...upload, PartNumber: 2, Body: "tag" });
    expect(sent.map(({ body }) => body)).toEqual(["sealed", "tag"]);
  });
});

describe("a client whose plugin is replaced", () => {
  it("is the same client to the sealer", async () => {
    const { sealer, scopes } = recordingSealer();
    const { client } = stubClient();
    client.middlewareStack.use(bucketKeys({ policy, envelope: sealer }));
    await client.send(new HeadObjectCommand(at));
    client.middlewareStack.use(bucketKeys({ policy, envelope: sealer, replace: true }));
    await client.send(new HeadObjectCommand(at));
    expect(scopes).toHaveLength(2);
    expect(scopes[1]).toBe(scopes[0]);
  });
});
