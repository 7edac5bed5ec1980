/** Where the plugin stands in the SDK's stack, and what happens when it is used more than once. */
import {
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { constructStack } from "@smithy/core/client";
import { describe, expect, it, vi } from "vitest";
import { BucketKeySetupError, bucketKeys, type BucketKeysPlugin } from "../src/index.ts";
import { FLAG, stubClient } from "./support/stub-client.ts";

const OURS = "s3BucketKeysMiddleware-* - initialize";
const object = { Bucket: "acme-lake", Key: "k" } as const;
const put = { ...object, Body: "x", ServerSideEncryption: "aws:kms" } as const;

const enforcing = (): BucketKeysPlugin => bucketKeys({ mode: "enforce" });

/** Entries of a stack, with a star for what makes each plugin's name its own. */
function named(entries: readonly string[]): string[] {
  return entries.map((entry) => entry.replace(/^(s3BucketKeysMiddleware-)\w+/, "$1*"));
}

function requestsSeen(plugin: BucketKeysPlugin): number {
  return plugin.stats().requests.reduce((sum, { count }) => sum + count, 0);
}

/** The whole list of one command, outermost first. The client's own hides what is placed beside the command's. */
function resolvedOrder(client: S3Client, command: { resolveMiddleware: unknown }): string[] {
  let order: string[] = [];
  const stack = {
    concat(commandStack: Parameters<S3Client["middlewareStack"]["concat"]>[0]) {
      const whole = client.middlewareStack.concat(commandStack);
      order = named(whole.identify());
      return whole;
    },
  };
  const resolve = command.resolveMiddleware as (stack: unknown, config: unknown, options: unknown) => unknown;
  resolve.call(command, stack, client.config, {});
  return order;
}

describe("the resolved stack", () => {
  it.each([
    ["PutObject", () => new PutObjectCommand(put)],
    ["CopyObject", () => new CopyObjectCommand({ ...object, CopySource: "a/b" })],
    ["CreateMultipartUpload", () => new CreateMultipartUploadCommand(object)],
    ["UploadPart", () => new UploadPartCommand({ ...object, UploadId: "u", PartNumber: 1 })],
    ["GetObject", () => new GetObjectCommand(object)],
    ["HeadObject", () => new HeadObjectCommand(object)],
  ])("of %s has the plugin outermost, once, and is otherwise as without it", (_operation, command) => {
    const { client } = stubClient();
    const without = resolvedOrder(client, command());
    expect(without[0]).toContain("loggerMiddleware");
    client.middlewareStack.use(enforcing());
    expect(resolvedOrder(client, command())).toEqual([OURS, ...without]);
  });

  it("keeps the plugin outside redirects, checksums, serializer, retries and signing", () => {
    const { client } = stubClient();
    client.middlewareStack.use(enforcing());
    const order = resolvedOrder(client, new PutObjectCommand(put));
    // Older clients call the signer by what is now its alias.
    const inner = [
      /^regionRedirectMiddleware/,
      /^serializerMiddleware/,
      /^flexibleChecksumsMiddleware/,
      /^retryMiddleware/,
      /awsAuthMiddleware/,
      /^deserializerMiddleware/,
    ].map((name) => order.findIndex((entry) => name.test(entry)));
    expect(order.indexOf(OURS)).toBe(0);
    expect(inner.every((index) => index > 0)).toBe(true);
    expect(inner).toEqual(inner.toSorted((a, b) => a - b));
  });

  it("is reported so by the SDK itself, with identifyOnResolve", async () => {
    const { client } = stubClient();
    client.middlewareStack.use(enforcing());
    client.middlewareStack.identifyOnResolve(true);
    const print = vi.spyOn(console, "log").mockImplementation(() => {});
    try {
      await client.send(new PutObjectCommand(put));
      const printed = named(print.mock.calls.flat(2) as string[]);
      expect(printed[0]).toBe(OURS);
      expect(printed.filter((entry) => entry.includes("s3BucketKeys"))).toEqual([OURS]);
    } finally {
      print.mockRestore();
    }
  });
});

describe("the same plugin", () => {
  it("used twice on one client stands there once and counts each call once", async () => {
    const { client } = stubClient();
    const plugin = enforcing();
    client.middlewareStack.use(plugin);
    client.middlewareStack.use(plugin);
    await client.send(new PutObjectCommand(put));
    expect(named(client.middlewareStack.identify()).filter((entry) => entry === OURS)).toHaveLength(1);
    expect(requestsSeen(plugin)).toBe(1);
  });

  it("used again keeps its place", () => {
    const { client } = stubClient();
    const plugin = enforcing();
    client.middlewareStack.use(plugin);
    client.middlewareStack.add((next) => next, { name: "later", step: "initialize", priority: "high" });
    const before = client.middlewareStack.identify();
    client.middlewareStack.use(plugin);
    expect(client.middlewareStack.identify()).toEqual(before);
  });

  it("serves several clients and counts them together", async () => {
    const plugin = enforcing();
    for (const { client } of [stubClient(), stubClient()]) {
      client.middlewareStack.use(plugin);
      await client.send(new PutObjectCommand(put));
    }
    expect(requestsSeen(plugin)).toBe(2);
  });

  it("on a client and on a command runs once when the SDK joins the two stacks", async () => {
    const { client, sent } = stubClient();
    const plugin = enforcing();
    client.middlewareStack.use(plugin);
    const command = new PutObjectCommand(put);
    command.middlewareStack.use(plugin);
    await client.send(command);
    expect(sent.map(({ headers }) => headers[FLAG])).toEqual(["true"]);
    expect(requestsSeen(plugin)).toBe(1);
  });

  it("on a command alone serves that command alone", async () => {
    const { client, sent } = stubClient();
    const command = new PutObjectCommand(put);
    command.middlewareStack.use(enforcing());
    await client.send(command);
    await client.send(new PutObjectCommand(put));
    expect(sent.map(({ headers }) => headers[FLAG])).toEqual(["true", undefined]);
  });

  it("goes along with a cloned stack, is still known there, and leaves the clone alone when it is removed", () => {
    const { client } = stubClient();
    const plugin = enforcing();
    client.middlewareStack.use(plugin);
    const clone = client.middlewareStack.clone();
    expect(() => clone.use(plugin)).not.toThrow();
    expect(client.middlewareStack.removeByTag("S3_BUCKET_KEYS")).toBe(true);
    expect(named(client.middlewareStack.identify())).not.toContain(OURS);
    expect(named(clone.identify()).filter((entry) => entry === OURS)).toHaveLength(1);
  });

  it("can be taken off by its tag and put on again", async () => {
    const { client, sent } = stubClient();
    const plugin = enforcing();
    client.middlewareStack.use(plugin);
    client.middlewareStack.removeByTag("S3_BUCKET_KEYS");
    await client.send(new PutObjectCommand(put));
    client.middlewareStack.use(plugin);
    await client.send(new PutObjectCommand(put));
    expect(sent.map(({ headers }) => headers[FLAG])).toEqual([undefined, "true"]);
  });
});

describe("a second plugin on the same client", () => {
  it("throws, and the first stays in force", async () => {
    const { client } = stubClient();
    const [first, second] = [enforcing(), enforcing()];
    client.middlewareStack.use(first);
    let thrown: unknown;
    try {
      client.middlewareStack.use(second);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(BucketKeySetupError);
    expect(thrown).toMatchObject({ code: "ERR_BUCKET_KEY_SETUP" });
    expect((thrown as Error).message).toContain("replace: true");
    await client.send(new PutObjectCommand(put));
    expect([requestsSeen(first), requestsSeen(second)]).toEqual([1, 0]);
  });

  it("throws on a clone of the client's stack, too", () => {
    const { client } = stubClient();
    client.middlewareStack.use(enforcing());
    const clone = client.middlewareStack.clone();
    expect(() => clone.use(enforcing())).toThrow(BucketKeySetupError);
  });

  it("throws when it comes from another copy of this package", async () => {
    const { client } = stubClient();
    client.middlewareStack.use(enforcing());
    vi.resetModules();
    const other = await import("../src/index.ts");
    expect(other.bucketKeys).not.toBe(bucketKeys);
    const second = other.bucketKeys({ mode: "enforce" });
    expect(() => client.middlewareStack.use(second)).toThrow(other.BucketKeySetupError);
  });

  it("with replace: true takes the first one's place; the first can't come back unasked", async () => {
    const { client } = stubClient();
    const first = enforcing();
    const second = bucketKeys({ mode: "enforce", replace: true });
    client.middlewareStack.use(first);
    client.middlewareStack.use(second);
    await client.send(new PutObjectCommand(put));
    expect([requestsSeen(first), requestsSeen(second)]).toEqual([0, 1]);
    expect(() => client.middlewareStack.use(first)).toThrow(BucketKeySetupError);
    expect(named(client.middlewareStack.identify()).filter((entry) => entry === OURS)).toHaveLength(1);
  });

  it("with replace: true on a client that wears none is used like any other", async () => {
    const { client, sent } = stubClient();
    client.middlewareStack.use(bucketKeys({ mode: "enforce", replace: true }));
    await client.send(new PutObjectCommand(put));
    expect(sent[0]?.headers[FLAG]).toBe("true");
  });
});

describe("another plugin on a command", () => {
  it("never drops the client's: both are in force", async () => {
    const { client, sent } = stubClient();
    const [clients, commands] = [enforcing(), bucketKeys({ mode: "off" })];
    client.middlewareStack.use(clients);
    const command = new PutObjectCommand(put);
    command.middlewareStack.use(commands);
    await client.send(command);
    expect(sent.map(({ headers }) => headers[FLAG])).toEqual(["true"]);
    expect([requestsSeen(clients), requestsSeen(commands)]).toEqual([1, 1]);
  });
});

describe("a bare stack of @smithy/core", () => {
  it("puts the plugin before what was added at normal priority, whatever the order of adding", () => {
    const stack = constructStack<object, object>();
    stack.add((next) => next, { name: "early", step: "initialize" });
    stack.use(enforcing());
    stack.add((next) => next, { name: "late", step: "initialize" });
    expect(named(stack.identify())).toEqual([OURS, "early - initialize", "late - initialize"]);
  });

  it("hands commands of other clients straight to what comes next", () => {
    const stack = constructStack<object, object>();
    stack.use(enforcing());
    const handler = vi.fn<() => never>();
    const context = { clientName: "GlacierClient", commandName: "PutObjectCommand" };
    expect(stack.resolve(handler, context)).toBe(handler);
  });

  it("holds one entry after two stacks with the plugin are concatenated", () => {
    const plugin = enforcing();
    const [a, b] = [constructStack<object, object>(), constructStack<object, object>()];
    a.use(plugin);
    b.use(plugin);
    expect(named(a.concat(b).identify())).toEqual([OURS]);
  });
});
