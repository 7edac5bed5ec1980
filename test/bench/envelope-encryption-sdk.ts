/** The AWS Encryption SDK for JavaScript at its default, at its best, and with its cache, beside `seal` and `open`. */
import { createCipheriv, createHmac, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import type { Bench, Row } from "./bench.ts";
import { encryptionSdk, type EncryptionSdk, type Materials, type Options } from "./encryption-sdk.ts";
import {
  drain,
  envelopeModule,
  inChunks,
  instantSealer,
  LARGE,
  megabytesPerSecond,
  MIB,
  rawSeal,
  SMALL,
} from "./envelope-fixture.ts";
import { interleave, type Arm } from "./interleave.ts";
import { median, medianOfBlocks, medianRatio } from "./statistics.ts";

/** One alone is near what the clock can tell. */
const BATCH = 20;

export const envelopeEncryptionSdk: Bench = async ({ quick, dist }) => {
  const module = await envelopeModule(dist);
  const { seal, open } = module;
  const sealer = instantSealer(module, { release: "delayedAuthentication" });
  const sdk = await encryptionSdk();
  const theirs = sdk.buildClient(sdk.CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  const keyring = rawKeyring(sdk);
  const suites: Readonly<Record<"default" | "best", Options>> = {
    default: {},
    best: { suiteId: unsigned(sdk), frameLength: MIB },
  };

  const { body: ours, metadata } = await seal(sealer, LARGE);
  const sealed = {
    default: await collected(LARGE, theirs.encryptStream(keyring, suites.default)),
    best: await collected(LARGE, theirs.encryptStream(keyring, suites.best)),
  };
  const seals =
    (how: keyof typeof suites): Arm =>
    () =>
    () =>
      through(LARGE, theirs.encryptStream(keyring, suites[how]));
  const opens =
    (how: keyof typeof suites): Arm =>
    () =>
    () =>
      through(sealed[how], theirs.decryptStream(keyring));
  const large = await interleave({
    arms: () => ({
      seal: () => async () => drain((await seal(sealer, streamed(LARGE))).body),
      control: () => async () => drain((await seal(sealer, streamed(LARGE))).body),
      sealDefault: seals("default"),
      sealBest: seals("best"),
      open: () => async () => drain(await open(sealer, streamed(ours), metadata)),
      openDefault: opens("default"),
      openBest: opens("best"),
      raw: () => () => rawSeal(LARGE),
    }),
    ...(quick ? { blocks: 2, iterations: 1, warmUp: 1 } : { blocks: 10, iterations: 2, warmUp: 1 }),
  });

  const caching = cachingOver(sdk, keyring);
  const small = await interleave({
    arms: () => ({
      seal: () => () => repeat(BATCH, () => seal(sealer, SMALL)),
      control: () => () => repeat(BATCH, () => seal(sealer, SMALL)),
      bare: () => () => repeat(BATCH, bareSeal),
      cached: () => () => repeat(BATCH, () => theirs.encrypt(caching, SMALL, { suiteId: unsigned(sdk) })),
    }),
    ...(quick ? { blocks: 3, iterations: 10, warmUp: 10 } : { blocks: 20, iterations: 60, warmUp: 20 }),
  });
  await sealer.close();

  const control = medianRatio(large.control, large.seal);
  const row = (what: string, measured: Row["measured"], atLeast: number, yardstick: string): Row => ({
    what,
    measured,
    unit: "ratio",
    bar: { atLeast },
    control,
    yardstick,
  });
  const [byDefault, best] = [
    "the AWS Encryption SDK at its default (0x0578, frames of 4 KiB)",
    "the AWS Encryption SDK at its best (0x0478, frames of 1 MiB)",
  ];
  const smallControl = medianRatio(small.control, small.seal);
  return [
    row(
      `seal() of a stream of 64 MiB: how many times as fast as ${byDefault}`,
      medianRatio(large.sealDefault, large.seal),
      15,
      megabytesPerSecond("that", large.sealDefault),
    ),
    row(
      `the same: as ${best}`,
      medianRatio(large.sealBest, large.seal),
      2.5,
      megabytesPerSecond("that", large.sealBest),
    ),
    {
      what: `node:crypto's AES-256-GCM alone, in updates of 64 KiB: as ${best}`,
      measured: medianRatio(large.sealBest, large.raw),
      unit: "ratio",
    },
    row(
      `open() of a stream of 64 MiB, both with plaintext before the tag: as ${byDefault}`,
      medianRatio(large.openDefault, large.open),
      15,
      megabytesPerSecond("that", large.openDefault),
    ),
    row(
      `the same: as ${best}`,
      medianRatio(large.openBest, large.open),
      2.5,
      megabytesPerSecond("that", large.openBest),
    ),
    {
      what: "seal() of 1 KB with a bucket key at hand: its metadata, message id, key derivation, commitment and GCM",
      measured: medianOfBlocks(small.seal.map((block) => block.map((time) => time / BATCH))),
      unit: "µs",
      bar: { atMost: 15 },
      control: smallControl,
      yardstick: `the AWS Encryption SDK: ${(median(small.cached.flatMap((b) => [...b])) / BATCH).toFixed(0)} µs`,
    },
    {
      what: "the calls of node:crypto alone that this takes: 28 random bytes, three HMAC-SHA-512, one AES-256-GCM",
      measured: medianOfBlocks(small.bare.map((block) => block.map((time) => time / BATCH))),
      unit: "µs",
    },
    {
      ...row(
        "seal() of 1 KB: how many times as fast as the AWS Encryption SDK with its caching manager (0x0478)",
        medianRatio(small.cached, small.seal),
        15,
        "",
      ),
      control: smallControl,
    },
  ];
};

/** What the format demands of `node:crypto` for one object, and nothing else. */
async function bareSeal(): Promise<unknown> {
  const messageId = randomBytes(28);
  const secret = createHmac("sha512", messageId).update(DATA_KEY).digest();
  const commitment = createHmac("sha512", secret).update("COMMITKEY").digest();
  const key = createHmac("sha512", secret).update("DERIVEKEY").digest().subarray(0, 32);
  const cipher = createCipheriv("aes-256-gcm", key, IV).setAAD(AAD);
  return [commitment, cipher.update(SMALL), cipher.final(), cipher.getAuthTag()];
}

const DATA_KEY = randomBytes(32);
const IV = new Uint8Array(12).fill(1);
const AAD = Uint8Array.of(0x00, 0x73);

/** No KMS: a key that is there wraps the data keys. */
function rawKeyring(sdk: EncryptionSdk): Materials {
  return new sdk.RawAesKeyringNode({
    keyName: "bench",
    keyNamespace: "bench",
    unencryptedMasterKey: isolated(randomBytes(32)),
    wrappingSuite: sdk.RawAesWrappingSuiteIdentifier["AES256_GCM_IV12_TAG16_NO_PADDING"],
  });
}

/** It refuses a key that shares its memory with others. */
function isolated(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

function cachingOver(sdk: EncryptionSdk, backingMaterials: Materials): Materials {
  return new sdk.NodeCachingMaterialsManager({
    backingMaterials,
    cache: sdk.getLocalCryptographicMaterialsCache(100),
    maxAge: 300_000,
    partition: "bench",
  });
}

/** Commits to the key, signs nothing. */
function unsigned(sdk: EncryptionSdk): number {
  return sdk.AlgorithmSuiteIdentifier["ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY"] as number;
}

function streamed(bytes: Uint8Array): Readable {
  return Readable.from(inChunks(bytes));
}

async function through(bytes: Uint8Array, stream: NodeJS.ReadWriteStream): Promise<void> {
  await Promise.all([pipeline(streamed(bytes), stream), drain(stream)]);
}

/** Its `encrypt`, for bytes in memory, fails on some that are longer than a frame. */
async function collected(bytes: Uint8Array, stream: NodeJS.ReadWriteStream): Promise<Buffer> {
  const [result] = await Promise.all([buffer(stream), pipeline(streamed(bytes), stream)]);
  return result;
}

async function repeat(times: number, operation: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < times; i++) await operation();
}
