/** Bodies of 64 MiB against the cipher alone: what an envelope, streams and parts cost beside AES-GCM. */
import type { ContentKey } from "../../src/envelope/content-key.ts";
import type { Envelope } from "../../src/envelope/index.ts";
import { S3_LIMITS } from "../../src/envelope/upload-input.ts";
import { UploadParts } from "../../src/envelope/upload-parts.ts";
import type { Bench } from "./bench.ts";
import {
  drain,
  envelopeModule,
  inChunks,
  instantSealer,
  LARGE,
  LARGE_BYTES,
  megabytesPerSecond,
  MIB,
  rawCipher,
  rawOpen,
  rawSeal,
  rawSealed,
  STEP_BYTES,
} from "./envelope-fixture.ts";
import { interleave, type Arm } from "./interleave.ts";
import { medianRatio } from "./statistics.ts";

const PART_BYTES = 8 * MIB;
/** Any order will do; this is one. */
const PART_ORDER = [1, 4, 2, 3, 8, 6, 7, 5];

export const envelopeStreams: Bench = async ({ quick, dist }) => {
  const module = await envelopeModule(dist);
  const { seal, open } = module;
  const sealer = instantSealer(module);
  const streaming = instantSealer(module, { release: "delayedAuthentication" });
  const { body: sealed, metadata } = await seal(sealer, LARGE);
  const raw = rawSealed(LARGE);
  const opens = async (how: Envelope): Promise<void> => drain(await open(how, inChunks(sealed), metadata));

  // Apart, for what one leaves to the garbage collector the next one pays.
  const scale = quick ? { blocks: 3, iterations: 2, warmUp: 1 } : { blocks: 15, iterations: 6, warmUp: 2 };
  const streams = await interleave({
    ...scale,
    arms: () => ({
      seal: repeat(async () => drain((await seal(sealer, inChunks(LARGE))).body)),
      rawSeal: repeat(() => rawSeal(LARGE)),
      sealControl: repeat(() => rawSeal(LARGE)),
      open: repeat(() => opens(streaming)),
      rawOpen: repeat(() => rawOpen(raw)),
      openControl: repeat(() => rawOpen(raw)),
    }),
  });
  const whole = await interleave({
    ...scale,
    arms: () => ({
      seal: repeat(() => seal(sealer, LARGE)),
      rawSeal: repeat(() => rawSeal(LARGE)),
      open: repeat(() => opens(sealer)),
      rawOpen: repeat(() => rawOpen(raw)),
    }),
  });
  const multipart = await interleave({
    ...scale,
    arms: () => ({
      parts: repeat(sealParts),
      fused: repeat(sealPartsFused),
      control: repeat(sealPartsFused),
    }),
  });
  await Promise.all([sealer, streaming].map((each) => each.close()));

  return [
    {
      what: "seal() of a stream of 64 MiB: rate against node:crypto's AES-256-GCM alone, in updates of 64 KiB",
      measured: medianRatio(streams.rawSeal, streams.seal),
      unit: "ratio",
      bar: { atLeast: 0.87 },
      control: medianRatio(streams.sealControl, streams.rawSeal),
      yardstick: megabytesPerSecond("that", streams.rawSeal),
    },
    {
      what: "open() of the same with delayedAuthentication, likewise",
      measured: medianRatio(streams.rawOpen, streams.open),
      unit: "ratio",
      bar: { atLeast: 0.87 },
      control: medianRatio(streams.openControl, streams.rawOpen),
      yardstick: megabytesPerSecond("that", streams.rawOpen),
    },
    {
      what: "open() of the same, verified in memory before it is released",
      measured: medianRatio(whole.rawOpen, whole.open),
      unit: "ratio",
      yardstick: megabytesPerSecond("that", whole.rawOpen),
    },
    {
      what: "seal() of 64 MiB in memory, into one array",
      measured: medianRatio(whole.rawSeal, whole.seal),
      unit: "ratio",
      yardstick: megabytesPerSecond("that", whole.rawSeal),
    },
    {
      what:
        "multipart path, parts of 8 MiB in any order and the tag of all: rate against one GCM over the same parts in " +
        "their order, into an array each as well",
      measured: medianRatio(multipart.fused, multipart.parts),
      unit: "ratio",
      bar: { atLeast: 0.9 },
      control: medianRatio(multipart.control, multipart.fused),
      yardstick: megabytesPerSecond("that", multipart.fused),
    },
  ];
};

function repeat(operation: () => unknown): Arm {
  return () => operation;
}

function partOf(number: number): Uint8Array {
  return LARGE.subarray((number - 1) * PART_BYTES, number * PART_BYTES);
}

/** As the parts of an upload are sealed, whichever comes first. */
function sealParts(): void {
  const key: ContentKey = {
    bytes: new Uint8Array(32).fill(7),
    iv: new Uint8Array(12).fill(1),
    aad: undefined,
  };
  const parts = new UploadParts(key, PART_BYTES, S3_LIMITS);
  for (const number of PART_ORDER) parts.seal(number, partOf(number), PART_BYTES);
  parts.finish();
}

/** As an uploader has to that only knows GCM: one part after the other. */
function sealPartsFused(): void {
  const cipher = rawCipher();
  for (let number = 1; number <= LARGE_BYTES / PART_BYTES; number++) {
    const plaintext = partOf(number);
    const ciphertext = Buffer.allocUnsafeSlow(PART_BYTES);
    for (let at = 0; at < PART_BYTES; at += STEP_BYTES) {
      ciphertext.set(cipher.update(plaintext.subarray(at, at + STEP_BYTES)), at);
    }
  }
  cipher.final();
  cipher.getAuthTag();
}
