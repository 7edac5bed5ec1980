import { describe, expect, it } from "vitest";
import { envelope } from "../../src/envelope/envelope.ts";
import { fakeKeyring, World } from "./world.ts";

describe("a sealer", () => {
  it("has a name, and knows its uploads only", () => {
    const sealer = envelope({ keyring: fakeKeyring() });
    expect(sealer.name).toBe("envelope");
    const input = { Bucket: "bucket", Key: "k", UploadId: "u1" };
    expect(sealer.ownsUpload({ operation: "UploadPart", input, scope: {} })).toBe(false);
  });

  it("forgets bucket keys with evict", async () => {
    const world = new World();
    await world.put("k", "x");
    await world.put("k", "x");
    world.sealer.evict();
    await world.put("k", "x");
    expect(world.keyring.calls).toEqual(["generate", "generate"]);
    expect(String(await world.read("k"))).toBe("x");
  });

  it("refuses what it doesn't know", async () => {
    const world = new World();
    await expect(world.send("RestoreEverything", {})).rejects.toMatchObject({
      problem: "unsupported-operation",
      message: "What RestoreEverything does to a sealed object isn't known here, so it wasn't sent.",
    });
    expect(world.requests).toEqual([]);
  });

  it("refuses annotations, which would be stored plain, and lets them pass where the place unseals", async () => {
    const world = new World();
    await expect(world.send("PutObjectAnnotation", { Bucket: "bucket", Key: "k" })).rejects.toMatchObject({
      problem: "unsupported-operation",
      message:
        "PutObjectAnnotation was not sent: annotations have no sealed form, so its payload would be stored plain. Keep " +
        "it in an object of its own, or annotate objects of a place that isn't sealed.",
    });
    expect(world.requests).toEqual([]);
    await world.send("PutObjectAnnotation", { Bucket: "bucket", Key: "k" }, { place: "unseal" });
    expect(world.requests).toHaveLength(1);
  });

  it.each(["PutObject", "CreateMultipartUpload", "PutObjectAnnotation"])(
    "presigns no %s where bodies are sealed",
    async (operation) => {
      const world = new World();
      const input = { Bucket: "bucket", Key: "k" };
      await expect(world.send(operation, input, { presigning: true })).rejects.toMatchObject({
        problem: "unsupported-operation",
        message: `${operation} can't be presigned where bodies are sealed: whoever uses the URL would store them plain.`,
      });
      expect(world.requests).toEqual([]);
      await world.send(operation, input, { presigning: true, place: "unseal" });
      expect(world.requests).toEqual([{ operation, input }]);
    },
  );

  it("reads under one policy nothing that was cached under another", async () => {
    const keyring = fakeKeyring();
    const strict = new World({ keyring });
    const lenient = new World({ keyring, commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" });
    await strict.put("k", "x");
    lenient.objects.set("bucket/k", strict.stored("k"));
    expect(String(await lenient.read("k"))).toBe("x");
    expect(String(await strict.read("k"))).toBe("x");
    expect(keyring.calls).toEqual(["generate", "unwrap", "unwrap"]);
  });

  it.each([
    ["a promise", Promise.resolve("blue"), "object"],
    ["nothing", undefined, "undefined"],
    ["null", null, "null"],
    ["a number", 5, "number"],
  ])("takes no partition that is %s, for it would be everybody's", async (_, value, said) => {
    const world = new World({ partition: () => value as never });
    const sealed = new World();
    await sealed.put("k", "x");
    world.objects.set("bucket/k", sealed.stored("k"));
    for (const call of [world.put("k", "x"), world.read("k")]) {
      await expect(call).rejects.toMatchObject({
        code: "ERR_BUCKET_KEY_SETUP",
        message: `envelope's option partition gave ${said} for a place: return text, at once; places that get the same text share bucket keys.`,
      });
    }
    expect(world.keyring.calls).toEqual([]);
  });

  it("tells its functions where a call goes in text, whatever the caller wrote", async () => {
    const places: unknown[] = [];
    const world = new World({
      partition: (place) => {
        places.push(place);
        return "";
      },
    });
    await world.send("PutObject", { Bucket: 7, Body: "x" });
    expect(places).toEqual([{ operation: "PutObject", bucket: "", key: "" }]);
  });

  it("joins the partition to the keys of reads, too", async () => {
    const world = new World({ partition: ({ key }) => key });
    await world.put("a", "x");
    world.objects.set("bucket/b", world.stored("a"));
    await world.read("a");
    await world.read("b");
    expect(world.keyring.calls).toEqual(["generate", "unwrap", "unwrap"]);
  });
});

/** A world whose sealer was closed with an upload under way. */
async function closed(): Promise<World> {
  const world = new World({ ranges: "verified" });
  world.spoil = (output, operation) => (operation === "CreateMultipartUpload" ? { UploadId: "u1" } : output);
  await world.put("k", "x");
  await world.send("CreateMultipartUpload", { Bucket: "bucket", Key: "k" });
  await world.sealer.close();
  world.requests.length = world.events.length = 0;
  return world;
}

describe("close", () => {
  it.each([
    "PutObject",
    "GetObject",
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    "CopyObject",
    "RenameObject",
    "UploadPartCopy",
    "SelectObjectContent",
    "WriteGetObjectResponse",
  ])("ends %s, in places that unseal too: a plain part could go into a sealed upload", async (operation) => {
    const world = await closed();
    for (const place of ["seal", "unseal"] as const) {
      const input = { Bucket: "bucket", Key: "k", UploadId: "u1", PartNumber: 1, Body: "x" };
      await expect(world.send(operation, input, { place })).rejects.toMatchObject({
        problem: "closed",
        message: "The sealer was closed: nothing was sent. Make a new one with envelope().",
      });
    }
    expect(world.requests).toEqual([]);
    expect(world.events).toHaveLength(2);
  });

  it.each(["AbortMultipartUpload", "HeadObject"])("lets %s pass, which needs no key", async (operation) => {
    const world = await closed();
    await world.send(operation, { Bucket: "bucket", Key: "k", UploadId: "u1" });
    expect(world.requests).toHaveLength(1);
  });

  it("can be called again, and uploads stay refused", async () => {
    const world = await closed();
    await expect(world.sealer.close()).resolves.toBeUndefined();
    const input = { Bucket: "bucket", Key: "k", UploadId: "u1" };
    expect(world.sealer.ownsUpload({ operation: "UploadPart", input, scope: world.scope })).toBe(true);
  });

  it("fails a call that waits for KMS", async () => {
    const world = new World();
    let answer: (() => void) | undefined;
    const generate = world.keyring.generate.bind(world.keyring);
    world.keyring.generate = async (...args) => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return generate(...args);
    };
    const put = world.put("k", "x").catch((error: unknown) => error);
    await new Promise((resolve) => setImmediate(resolve));
    await world.sealer.close();
    answer?.();
    expect(await put).toMatchObject({ problem: "closed" });
    expect(world.requests).toEqual([]);
  });
});
