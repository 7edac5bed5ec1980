import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  BucketKeySetupError,
  bucketKeys,
  definePolicy,
  PolicyError,
  type BucketDefaults,
  type CountSource,
  type Policy,
  type PolicyChange,
  type PolicySnapshot,
  type PolicySource,
} from "../src/index.ts";
import { FLAG, stubClient } from "./support/stub-client.ts";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const put = { Bucket: "acme-lake", Key: "k", Body: "x" } as const;
const kms = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: KEY } as const;

const enforcing = definePolicy({ version: 1, defaults: { bucketKey: "on", mode: "enforce" } });
const leaving = definePolicy({ version: 1, defaults: { mode: "enforce" } });

/** A source whose policy the test changes. */
class TestSource implements PolicySource {
  #snapshot: PolicySnapshot;
  #listener: ((change: PolicyChange) => void) | undefined;
  closed = false;

  constructor(snapshot: PolicySnapshot) {
    this.#snapshot = snapshot;
  }

  current(): PolicySnapshot {
    return this.#snapshot;
  }

  subscribe(listener: (change: PolicyChange) => void): () => void {
    this.#listener = listener;
    return () => {
      this.#listener = undefined;
    };
  }

  close(): void {
    this.closed = true;
  }

  change(result: PolicyChange["result"], snapshot: PolicySnapshot, message?: string): void {
    this.#snapshot = snapshot;
    this.#listener?.({ result, snapshot, ...(message !== undefined && { message }) });
  }
}

afterEach(() => vi.unstubAllEnvs());

describe("a policy that changes", () => {
  it("holds from the next request on, and each reload is counted and told", async () => {
    const source = new TestSource({ policy: leaving });
    const warn = vi.fn();
    const plugin = bucketKeys({ policy: source, logger: { warn } });
    const { client, sent } = stubClient();
    client.middlewareStack.use(plugin);
    await client.send(new PutObjectCommand({ ...put, ...kms }));
    const before = plugin.stats().policyDigest;
    source.change("accepted", { policy: enforcing }, "The policy was reloaded.");
    await client.send(new PutObjectCommand({ ...put, ...kms }));
    expect(sent.map(({ headers }) => headers[FLAG])).toEqual([undefined, "true"]);
    expect(plugin.stats().policyReloads).toEqual({ accepted: 1, rejected: 0 });
    expect(plugin.stats().policyDigest).not.toBe(before);
    expect(warn.mock.calls).toEqual([["s3-bucket-keys: The policy was reloaded."]]);
  });

  it("keeps the last good one when the source rejects a reload", async () => {
    const source = new TestSource({ policy: enforcing });
    const warn = vi.fn();
    const plugin = bucketKeys({ policy: source, logger: { warn } });
    const { client, sent } = stubClient();
    client.middlewareStack.use(plugin);
    source.change("rejected", { policy: enforcing }, "policy.yaml:3:1 is wrong");
    await client.send(new PutObjectCommand({ ...put, ...kms }));
    expect(sent[0]?.headers[FLAG]).toBe("true");
    expect(plugin.stats().policyReloads).toEqual({ accepted: 0, rejected: 1 });
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it("keeps the last good one when a source hands over what cannot be used here", async () => {
    const source = new TestSource({ policy: enforcing });
    const warn = vi.fn();
    const plugin = bucketKeys({ policy: source, logger: { warn } });
    const { client, sent } = stubClient();
    client.middlewareStack.use(plugin);
    source.change("accepted", { policy: { version: 2 } as unknown as Policy });
    source.change("accepted", { policy: { version: 1, defaults: { whenSseUnset: "lookup" } } });
    await client.send(new PutObjectCommand({ ...put, ...kms }));
    expect(sent[0]?.headers[FLAG]).toBe("true");
    expect(plugin.stats().policyReloads).toEqual({ accepted: 0, rejected: 2 });
    expect(warn.mock.calls[1]?.[0]).toContain("the last good one stays");
    expect(warn.mock.calls[1]?.[0]).toContain("bucketDefaults");
  });

  it("no longer changes after close(), and the clients keep it", async () => {
    const source = new TestSource({ policy: enforcing });
    const plugin = bucketKeys({ policy: source });
    const { client, sent } = stubClient();
    client.middlewareStack.use(plugin);
    await plugin.close();
    source.change("accepted", { policy: leaving });
    await client.send(new PutObjectCommand({ ...put, ...kms }));
    // Other plugins may follow it.
    expect(source.closed).toBe(false);
    expect(sent[0]?.headers[FLAG]).toBe("true");
  });
});

describe("a reload from any source", () => {
  const sealing = definePolicy({ version: 1, rules: [{ id: "v", reason: "x", envelope: "seal" }] });

  it.each([
    ["ends sealing in silence", { policy: leaving }],
    ["takes the policy away", {}],
  ])("is rejected when it %s", async (_what, snapshot) => {
    const source = new TestSource({ policy: sealing });
    const warn = vi.fn();
    const plugin = bucketKeys({ policy: source, logger: { warn } });
    const { client, sent } = stubClient();
    client.middlewareStack.use(plugin);
    source.change("accepted", snapshot);
    await expect(client.send(new PutObjectCommand(put))).rejects.toThrow("refused-seal");
    expect(sent).toHaveLength(0);
    expect(plugin.stats().policyReloads).toEqual({ accepted: 0, rejected: 1 });
    expect(warn.mock.calls[1]?.[0]).toContain("the last good one stays");
  });

  it("decides about a write that waited for a lookup meanwhile", async () => {
    const looking = definePolicy({
      version: 1,
      defaults: { bucketKey: "on", mode: "enforce", whenSseUnset: "lookup" },
    });
    const source = new TestSource({ policy: looking });
    let answer: ((found: "lookup-failed") => void) | undefined;
    const lookup = (): Promise<"lookup-failed"> => new Promise((resolve) => (answer = resolve));
    const plugin = bucketKeys({ policy: source, bucketDefaults: { lookup }, logger: { warn: () => {} } });
    const { client, sent } = stubClient();
    client.middlewareStack.use(plugin);
    const waiting = client.send(new PutObjectCommand(put));
    await vi.waitFor(() => expect(answer).toBeDefined());
    source.change("accepted", {
      policy: { ...looking, rules: [{ id: "v", reason: "x", envelope: "seal" }] },
    });
    answer?.("lookup-failed");
    await expect(waiting).rejects.toThrow("refused-seal");
    expect(sent).toHaveLength(0);
  });
});

describe("a policy that was never loaded", () => {
  it("fails open: writes pass and are counted, reads too", async () => {
    const plugin = bucketKeys({ policy: new TestSource({ failure: "fail-open" }) });
    const { client, sent } = stubClient();
    client.middlewareStack.use(plugin);
    await client.send(new PutObjectCommand({ ...put, ...kms }));
    await client.send(new GetObjectCommand({ Bucket: "b", Key: "k" }));
    expect(sent).toHaveLength(2);
    expect(plugin.stats()).toMatchObject({ policyDigest: "none", requests: [{ why: "no-rule", count: 1 }] });
  });

  it("fails closed: what it could have amended is refused, reads are not", async () => {
    const plugin = bucketKeys({
      policy: new TestSource({ failure: "fail-closed" }),
      logger: { warn: () => {} },
    });
    const { client, sent } = stubClient();
    client.middlewareStack.use(plugin);
    await expect(client.send(new PutObjectCommand(put))).rejects.toThrow("repair the policy file");
    await client.send(new GetObjectCommand({ Bucket: "b", Key: "k" }));
    expect(sent).toHaveLength(1);
  });

  it("is in force once it loads", async () => {
    const source = new TestSource({ failure: "fail-closed" });
    const plugin = bucketKeys({ policy: source, logger: { warn: () => {} } });
    const { client, sent } = stubClient();
    client.middlewareStack.use(plugin);
    source.change("accepted", { policy: enforcing });
    await client.send(new PutObjectCommand({ ...put, ...kms }));
    expect(sent[0]?.headers[FLAG]).toBe("true");
  });
});

describe("making a plugin", () => {
  it("fails on a policy that cannot be used, with all its mistakes", () => {
    const policy = { version: 1, rules: [{ id: "a" }] } as unknown as Policy;
    expect(() => bucketKeys({ policy })).toThrow(PolicyError);
  });

  it.each([
    ["bucketDefaults", { defaults: { whenSseUnset: "lookup" } }],
    ["region", { rules: [{ id: "a", reason: "x", bucketKey: "on", match: { regions: ["eu-west-1"] } }] }],
    [
      "account",
      { rules: [{ id: "a", reason: "x", bucketKey: "on", except: { accounts: ["111122223333"] } }] },
    ],
  ] as const)("fails without the option %s that the policy needs", (option, policy) => {
    expect(() => bucketKeys({ policy: { version: 1, ...policy } })).toThrow(BucketKeySetupError);
    expect(() => bucketKeys({ policy: { version: 1, ...policy } })).toThrow(`the option ${option}`);
  });

  it.each([
    [{ mode: "enforced" }, 'The option mode is "enforced": give "enforce", "audit" or "off".'],
    [{ modus: "enforce" }, 'bucketKeys has no option "modus": it has policy, mode,'],
    [{ policy: "bucket-keys.yaml" }, 'The option policy is "bucket-keys.yaml": give a policy'],
    [{ polcy: {} }, "bucketDefaults, region, account, resolveBucket, logger, replace. Did you mean policy?"],
    [{ x: {} }, /replace\.$/],
    [{ policy: Promise.resolve(enforcing) }, "The option policy is a Promise: give a policy"],
    [{ policy: Promise.resolve(enforcing) }, "await loadPolicy(path)"],
    [{ policy: null }, "The option policy is null: give"],
    [{ telemetry: () => {} }, "The option telemetry is a function: give telemetry such as otel(), called"],
    [{ bucketDefaults: {} }, "The option bucketDefaults is an object: give what bucketDefaultsFrom(client)"],
    [{ envelope: [] }, "The option envelope is an array: give"],
    [{ logger: { log() {} } }, "an object with a method warn"],
    [{ resolveBucket: "x" }, "give a function"],
    [{ region: 1 }, "The option region is a number: give a region's name"],
    [{ account: 111122223333 }, "an account's id, as text"],
    [{ replace: "yes" }, "true or false"],
  ])("fails on a slip in its options: %o", (options, message) => {
    expect(() => bucketKeys(options as object)).toThrow(BucketKeySetupError);
    expect(() => bucketKeys(options as object)).toThrow(message);
  });

  it.each([null, "enforce", [], () => {}])("fails on options that are no object: %o", (options) => {
    expect(() => bucketKeys(options as object)).toThrow(
      new BucketKeySetupError("bucketKeys takes its options as an object: bucketKeys({ policy })."),
    );
  });

  it("takes an option that is undefined for one that isn't given", () => {
    expect(bucketKeys({ mode: undefined } as object).stats().mode).toBe("audit");
  });

  it("says so when the option enforces and the policy doesn't", () => {
    const warn = vi.fn();
    const policy = definePolicy({ version: 1, defaults: { bucketKey: "on" } });
    expect(bucketKeys({ policy, mode: "enforce", logger: { warn } }).stats().mode).toBe("audit");
    expect(warn.mock.calls[0]?.[0]).toContain("Write mode: enforce into its rules or defaults");
  });

  it("gives the options to the rules that match them", async () => {
    const policy = definePolicy({
      version: 1,
      defaults: { mode: "enforce" },
      rules: [
        {
          id: "a",
          reason: "x",
          bucketKey: "on",
          match: { regions: ["eu-west-1"], accounts: ["111122223333"] },
        },
      ],
    });
    const { client, sent } = stubClient();
    client.middlewareStack.use(bucketKeys({ policy, region: "eu-west-1", account: "111122223333" }));
    await client.send(new PutObjectCommand({ ...put, ...kms }));
    expect(sent[0]?.headers[FLAG]).toBe("true");
  });
});

function broken(): never {
  throw new Error("broken");
}

describe("the bucket's default encryption", () => {
  const policy = definePolicy({
    version: 1,
    defaults: { bucketKey: "on", mode: "enforce", whenSseUnset: "lookup" },
  });

  it.each([
    [
      "SSE-KMS without a bucket key gets the flag",
      { sse: "aws:kms", bucketKey: false } as const,
      "true",
      "set",
    ],
    [
      "SSE-KMS with one needs nothing",
      { sse: "aws:kms", bucketKey: true } as const,
      undefined,
      "already-set",
    ],
    ["SSE-S3 gets nothing", { sse: "AES256", bucketKey: false } as const, undefined, "other-algorithm"],
    ["a failed lookup is left", "lookup-failed" as const, undefined, "unenforced"],
  ])("%s", async (_what, found, flag, why) => {
    const lookup = vi.fn().mockResolvedValue(found);
    const { client, sent } = stubClient();
    const plugin = bucketKeys({ policy, bucketDefaults: { lookup } });
    client.middlewareStack.use(plugin);
    await client.send(new PutObjectCommand(put));
    expect(lookup.mock.calls).toEqual([["acme-lake"]]);
    expect(sent[0]?.headers[FLAG]).toBe(flag);
    expect(plugin.stats().requests).toMatchObject([{ why, count: 1 }]);
  });

  it("is not asked for when the request names an algorithm", async () => {
    const lookup = vi.fn();
    const { client } = stubClient();
    client.middlewareStack.use(bucketKeys({ policy, bucketDefaults: { lookup } }));
    await client.send(new PutObjectCommand({ ...put, ...kms }));
    expect(lookup).not.toHaveBeenCalled();
  });

  it.each<[string, BucketDefaults, string]>([
    ["asking throws", { lookup: broken }, "Error"],
    ["the answer says so", { lookup: () => "lookup-failed" }, "_OTHER"],
    ["and why", { lookup: () => "lookup-failed", lastFailure: () => "AccessDenied" }, "AccessDenied"],
    ["there is no answer", { lookup: () => undefined as never }, "_OTHER"],
  ])("counts every failed lookup and tells of it once: %s", async (_what, bucketDefaults, type) => {
    const { client } = stubClient();
    const warn = vi.fn();
    const plugin = bucketKeys({ policy, bucketDefaults, logger: { warn } });
    client.middlewareStack.use(plugin);
    await client.send(new PutObjectCommand(put));
    await client.send(new PutObjectCommand(put));
    expect(plugin.stats().requests).toMatchObject([{ why: "unenforced", count: 2 }]);
    expect(plugin.stats().errors).toEqual([{ type, phase: "policy", count: 2 }]);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]?.[0]).toContain(`bucket acme-lake could not be looked up (${type})`);
  });

  it("is that of the bucket behind an access point, when the user can tell it", async () => {
    const lookup = vi.fn().mockResolvedValue({ sse: "aws:kms", bucketKey: false });
    const { client, sent } = stubClient();
    client.middlewareStack.use(
      bucketKeys({ policy, bucketDefaults: { lookup }, resolveBucket: () => "acme-lake" }),
    );
    await client.send(new PutObjectCommand({ ...put, Bucket: "ap-1-s3alias" }));
    expect(lookup.mock.calls).toEqual([["acme-lake"]]);
    expect(sent[0]?.headers[FLAG]).toBe("true");
  });
});

describe("the incident switch", () => {
  it.each([
    ["audit", "audit"],
    ["off", "off"],
    ["Audit ", "audit"],
  ] as const)("S3_BUCKET_KEYS_MODE=%s weakens the mode, said once", async (written, mode) => {
    vi.stubEnv("S3_BUCKET_KEYS_MODE", written);
    const warn = vi.fn();
    const plugin = bucketKeys({ policy: enforcing, logger: { warn } });
    vi.unstubAllEnvs();
    const { client, sent } = stubClient();
    client.middlewareStack.use(plugin);
    await client.send(new PutObjectCommand({ ...put, ...kms }));
    expect(sent[0]?.headers[FLAG]).toBeUndefined();
    expect(plugin.stats().mode).toBe(mode);
    expect(warn.mock.calls.filter(([line]) => line.includes("S3_BUCKET_KEYS_MODE"))).toHaveLength(1);
  });

  it("takes no other value and says so once", () => {
    vi.stubEnv("S3_BUCKET_KEYS_MODE", "enforce");
    const warn = vi.fn();
    const plugin = bucketKeys({ policy: enforcing, logger: { warn } });
    expect(plugin.stats().mode).toBe("enforce");
    expect(warn.mock.calls).toEqual([
      ['s3-bucket-keys: S3_BUCKET_KEYS_MODE is "enforce" and is ignored; it takes "audit" or "off".'],
    ]);
  });

  it("never strengthens: what the option says stays", () => {
    vi.stubEnv("S3_BUCKET_KEYS_MODE", "audit");
    const warn = vi.fn();
    expect(bucketKeys({ policy: enforcing, mode: "off", logger: { warn } }).stats().mode).toBe("off");
    expect(warn).not.toHaveBeenCalled();
  });

  it("never weakens sealing", async () => {
    vi.stubEnv("S3_BUCKET_KEYS_MODE", "off");
    const policy = definePolicy({ version: 1, rules: [{ id: "v", reason: "x", envelope: "seal" }] });
    const { client, sent } = stubClient();
    client.middlewareStack.use(bucketKeys({ policy, logger: { warn: () => {} } }));
    await expect(client.send(new PutObjectCommand(put))).rejects.toThrow("refused-seal");
    expect(sent).toHaveLength(0);
  });
});

describe("telemetry", () => {
  it("is attached once, fed every outcome, flushed and ended", async () => {
    const seen: string[] = [];
    let source: CountSource | undefined;
    const plugin = bucketKeys({
      policy: enforcing,
      telemetry: {
        attach: (given) => {
          source = given;
          return () => void seen.push("end");
        },
        record: ({ operation, response }) => void seen.push(`${operation} ${response?.state}`),
        flush: async () => void seen.push("flush"),
      },
    });
    const { client } = stubClient();
    client.middlewareStack.use(plugin);
    await client.send(new PutObjectCommand({ ...put, ...kms }));
    const { flush, close } = plugin;
    await flush();
    await close();
    await close();
    await client.send(new PutObjectCommand({ ...put, ...kms }));
    expect(seen).toEqual(["PutObject enabled", "flush", "flush", "end", "flush"]);
    expect(source?.clients()).toMatchObject({ count: 1, info: { mode: "enforce", modeSource: "policy" } });
  });
});

describe("stats()", () => {
  it("is plain JSON that a later count does not change", async () => {
    const plugin = bucketKeys({ policy: enforcing });
    const { client } = stubClient();
    client.middlewareStack.use(plugin);
    await client.send(new PutObjectCommand({ ...put, ...kms }));
    const first = plugin.stats();
    await client.send(new PutObjectCommand({ ...put, ...kms }));
    expect(JSON.parse(JSON.stringify(first))).toEqual(first);
    expect(first.requests[0]?.count).toBe(1);
    expect(plugin.stats().requests[0]?.count).toBe(2);
    expect(plugin.stats().estimatedKmsRequestsAvoided).toEqual({ GenerateDataKey: 1, Decrypt: 0 });
  });
});
