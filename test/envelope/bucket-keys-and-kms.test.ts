/** The cache and the keyring against KMS as the simulator has it, over the wire. */
import { DisableKeyCommand, KMSClient, ScheduleKeyDeletionCommand } from "@aws-sdk/client-kms";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EnvelopeEvent } from "../../src/body-sealer.ts";
import { BucketKeyCache } from "../../src/envelope/bucket-key-cache.ts";
import { EnvelopeIntegrityError, KeyringError } from "../../src/envelope/errors.ts";
import { kmsKeyring, type Keyring } from "../../src/envelope/keyring.ts";
import { startSimulator, type KmsKey, type Simulator } from "../../src/simulator/index.ts";
import { CONTEXT, SECOND, settle, TestClock } from "./key-stubs.ts";

let sim: Simulator;
let key: KmsKey;
let kms: KMSClient;
let keyring: Keyring;
let clock: TestClock;
let cache: BucketKeyCache;
let events: EnvelopeEvent[];

beforeEach(async () => {
  sim = await startSimulator();
  key = sim.createKmsKey();
  kms = new KMSClient({ ...sim.clientConfig, maxAttempts: 1 });
  keyring = kmsKeyring({ client: kms, keyId: key.arn });
  clock = new TestClock();
  cache = new BucketKeyCache({ maxAgeSeconds: 100 }, clock);
  events = [];
});

afterEach(async () => {
  cache.close();
  kms.destroy();
  await sim.close();
});

const same = () =>
  ({
    keyring,
    context: CONTEXT,
    partition: "",
    policy: "REQUIRE_ENCRYPT_REQUIRE_DECRYPT",
    observe: (event: EnvelopeEvent) => void events.push(event),
  }) as const;
const seal = () => cache.forSealing({ ...same(), bytes: 1 });
const open = (blob: Uint8Array) => cache.forOpening({ ...same(), blob, suite: "v3" });

/** What KMS was asked, in order. */
const asked = (): string[] =>
  sim.kmsClientRequests().flatMap(({ action, count }) => Array<string>(count).fill(action));

const errorTypes = (): (string | undefined)[] =>
  events.flatMap((event) => (event.kind === "kms-request" ? [event.errorType] : []));

/** Waits for what goes on in the background. */
async function until(done: () => boolean): Promise<void> {
  while (!done()) await settle();
}

describe("a client that is not set up", () => {
  const credentials = { accessKeyId: "a", secretAccessKey: "b" };

  it.each<[string, object, string, RegExp]>([
    [
      "endpoint",
      { region: "eu-west-1", credentials, endpoint: "http://127.0.0.1:1" },
      "ECONNREFUSED",
      /KMS could not be reached: check the network, and the endpoint and Region of the KMS client\.$/,
    ],
    [
      "Region",
      { region: "eu west", credentials },
      "Error",
      /See error\.cause: most often the KMS client has no Region or no credentials\.$/,
    ],
    [
      "credentials",
      {
        region: "eu-west-1",
        credentials: () =>
          Promise.reject(Object.assign(new Error("none"), { name: "CredentialsProviderError" })),
      },
      "CredentialsProviderError",
      /The KMS client has no usable credentials: give it some, or check where it takes them from\.$/,
    ],
  ])("is told that its %s is to be checked", async (_, config, kmsError, message) => {
    const client = new KMSClient({ maxAttempts: 1, ...config });
    keyring = kmsKeyring({ client, keyId: key.arn });
    const error = await seal().catch((failed: unknown) => failed as KeyringError);
    expect(error).toBeInstanceOf(KeyringError);
    expect(error).toMatchObject({ kmsError, message: expect.stringMatching(message) });
    const { message: said } = (error as KeyringError).cause as Error;
    expect((error as KeyringError).message).not.toContain(said);
    client.destroy();
  });
});

describe("bucket keys of KMS", () => {
  it("open what they sealed: one request each way for many bodies", async () => {
    const sealing = await Promise.all(Array.from({ length: 100 }, seal));
    const blob = sealing[0]?.blob as Uint8Array;
    const opening = await Promise.all(Array.from({ length: 100 }, () => open(blob)));
    const sealed = sealing[0]?.use((bytes) => Uint8Array.from(bytes));
    expect(sealed).toHaveLength(32);
    for (const lease of opening) expect(lease.use((bytes) => Uint8Array.from(bytes))).toEqual(sealed);
    expect(asked()).toEqual(["GenerateDataKey", "Decrypt"]);
  });

  it("don't open under another context, another key, or altered", async () => {
    const { blob } = await seal();
    await expect(cache.forOpening({ ...same(), context: {}, blob, suite: "v3" })).rejects.toThrow(
      EnvelopeIntegrityError,
    );
    const stranger = kmsKeyring({ client: kms, keyId: sim.createKmsKey().arn });
    await expect(cache.forOpening({ ...same(), keyring: stranger, blob, suite: "v3" })).rejects.toThrow(
      EnvelopeIntegrityError,
    );
    const altered = Uint8Array.from(blob);
    altered[altered.length - 1] = (altered.at(-1) as number) ^ 1;
    await expect(open(altered)).rejects.toThrow(EnvelopeIntegrityError);
    await expect(open(new Uint8Array([1]))).rejects.toThrow(EnvelopeIntegrityError);
  });

  it("open with a former key of an alias", async () => {
    const { blob } = await seal();
    const moved = kmsKeyring({ client: kms, keyId: sim.createKmsKey().arn, decryptKeyIds: [key.arn] });
    const lease = await cache.forOpening({ ...same(), keyring: moved, blob, suite: "v3" });
    expect(lease.use((bytes) => bytes.byteLength)).toBe(32);
  });

  it("end in both directions when the key is disabled in mid-run", async () => {
    const { blob } = await seal();
    await open(blob);
    clock.advance(90 * SECOND);
    await kms.send(new DisableKeyCommand({ KeyId: key.arn }));
    // Both keys are live still, and the first to be renewed tells.
    await open(blob);
    await seal();
    await until(() => errorTypes().includes("DisabledException"));
    expect(cache.size).toBe(0);
    await expect(seal()).rejects.toMatchObject({ kmsError: "DisabledException" });
    await expect(open(blob)).rejects.toMatchObject({ kmsError: "DisabledException" });
  });

  it("end when the key is about to be deleted", async () => {
    const { blob } = await seal();
    await open(blob);
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: key.arn }));
    clock.advance(100 * SECOND);
    await expect(open(blob)).rejects.toMatchObject({ kmsError: "KMSInvalidStateException" });
    expect(cache.size).toBe(0);
  });

  it("end as soon as any request shows that the key is disabled, however young they are", async () => {
    const { blob } = await seal();
    await open(blob);
    const { blob: another } = await cache.forSealing({ ...same(), partition: "other", bytes: 1 });
    await kms.send(new DisableKeyCommand({ KeyId: key.arn }));
    await expect(open(another)).rejects.toMatchObject({ kmsError: "DisabledException" });
    expect(cache.size).toBe(0);
    await expect(seal()).rejects.toMatchObject({ kmsError: "DisabledException" });
  });

  it("stay when only a former key is disabled", async () => {
    const { blob } = await seal();
    await kms.send(new DisableKeyCommand({ KeyId: key.arn }));
    keyring = kmsKeyring({ client: kms, keyId: sim.createKmsKey().arn, decryptKeyIds: [key.arn] });
    const { blob: current } = await seal();
    await open(current);
    const { size } = cache;
    await expect(open(blob)).rejects.toMatchObject({ kmsError: "DisabledException" });
    expect(cache.size).toBe(size);
  });

  it("need a key policy that grants them, to each direction its own", async () => {
    const { blob } = await seal();
    sim.putKeyPolicy(key.arn, {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: "*", Action: "kms:GenerateDataKey", Resource: "*" }],
    });
    await expect(open(blob)).rejects.toMatchObject({
      kmsError: "AccessDeniedException",
      message: expect.stringContaining("needs kms:Decrypt"),
    });
    (await seal()).release();
  });

  it("outlive throttling only when told to", async () => {
    const patient = new BucketKeyCache({ maxAgeSeconds: 100, staleIfErrorSeconds: 60 }, clock);
    const first = await patient.forSealing({ ...same(), bytes: 1 });
    await seal();
    sim.throttleKms({ requestsPerSecond: 1 });
    // By the simulator's clock, which stands still, this was the last one.
    await cache.forSealing({ ...same(), partition: "other", bytes: 1 });
    clock.advance(100 * SECOND);
    await expect(seal()).rejects.toMatchObject({ kmsError: "ThrottlingException" });
    expect((await patient.forSealing({ ...same(), bytes: 1 })).blob).toBe(first.blob);
    patient.close();
  });

  it("are refused for a key that does not exist", async () => {
    keyring = kmsKeyring({ client: kms, keyId: "alias/nowhere" });
    await expect(seal()).rejects.toMatchObject({ kmsError: "NotFoundException" });
  });
});

describe("KMS that can't be reached", () => {
  let silent: Server;
  let held: (() => void)[];

  beforeEach(async () => {
    held = [];
    silent = createServer((_request, response) => void held.push(() => response.destroy()));
    await new Promise<void>((resolve) => {
      silent.listen(0, "127.0.0.1", resolve);
    });
  });

  afterEach(async () => {
    silent.closeAllConnections();
    await new Promise((resolve) => {
      silent.close(resolve);
    });
  });

  it("is a timeout after kmsTimeoutSeconds, and the request is given up", async () => {
    const { port } = silent.address() as AddressInfo;
    const client = new KMSClient({
      ...sim.clientConfig,
      endpoint: `http://127.0.0.1:${port}`,
      maxAttempts: 3,
    });
    keyring = kmsKeyring({ client, keyId: key.arn });
    cache = new BucketKeyCache({ kmsTimeoutSeconds: 0.1 }, clock);
    await expect(seal()).rejects.toMatchObject({ kmsError: "TimeoutError" });
    await expect(seal()).rejects.toThrow(KeyringError);
    expect(held).toHaveLength(1);
    client.destroy();
  });

  it("is refused by name when nobody listens", async () => {
    const { port } = silent.address() as AddressInfo;
    await new Promise((resolve) => {
      silent.close(resolve);
    });
    const client = new KMSClient({
      ...sim.clientConfig,
      endpoint: `http://127.0.0.1:${port}`,
      maxAttempts: 1,
    });
    keyring = kmsKeyring({ client, keyId: key.arn });
    await expect(seal()).rejects.toMatchObject({ kmsError: "ECONNREFUSED" });
    client.destroy();
  });
});
