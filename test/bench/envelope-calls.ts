/** Whole calls of a client that seals beside those of one with the plugin alone, against the same server. */
import { Readable } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import type * as Testing from "../../src/simulator/index.ts";
import { built, type Bench, type Row, type Scale } from "./bench.ts";
import { exactly, inChunks, LARGE, LARGE_BYTES, megabytesPerSecond, SMALL } from "./envelope-fixture.ts";
import { BUCKET, Clients, get, put, startSimulatorProcess } from "./envelope-server.ts";
import { interleave, type Arm } from "./interleave.ts";
import { median, medianRatio, type Blocks } from "./statistics.ts";

export const envelopeCalls: Bench = async (scale) => [
  ...(await besidePlain(scale)),
  ...(await firstCalls(scale)),
];

async function besidePlain({ quick, dist }: Scale): Promise<readonly Row[]> {
  const server = await startSimulatorProcess(dist);
  const clients = await Clients.of(server, dist);
  try {
    const [plain, control, sealing] = [clients.unsealed(), clients.unsealed(), clients.sealing()];
    for (const [name, client] of Object.entries({ plain, sealing })) {
      await put(client, `small-${name}`, SMALL);
      await put(client, `large-${name}`, LARGE);
    }
    const small = await interleave({
      arms: () => ({
        put: repeat(() => put(plain, "small-plain", SMALL)),
        putControl: repeat(() => put(control, "small-plain", SMALL)),
        putSealed: repeat(() => put(sealing, "small-sealing", SMALL)),
        get: repeat(() => get(plain, "small-plain")),
        getControl: repeat(() => get(control, "small-plain")),
        getSealed: repeat(() => get(sealing, "small-sealing")),
      }),
      ...(quick
        ? { blocks: 3, iterations: 40, warmUp: 40 }
        : { blocks: 20, iterations: 150, warmUp: 30, compileFirst: 300 }),
    });
    const large = await interleave({
      arms: () => ({
        put: repeat(() => put(plain, "large-plain", LARGE)),
        putControl: repeat(() => put(control, "large-plain", LARGE)),
        putSealed: repeat(() => put(sealing, "large-sealing", LARGE)),
        putCopy: repeat(() => put(plain, "large-plain", new Uint8Array(LARGE))),
        stream: repeat(() => putStream(plain, "large-plain")),
        streamSealed: repeat(() => putStream(sealing, "large-sealing")),
        get: repeat(() => get(plain, "large-plain")),
        getControl: repeat(() => get(control, "large-plain")),
        getSealed: repeat(() => get(sealing, "large-sealing")),
      }),
      ...(quick ? { blocks: 2, iterations: 1, warmUp: 1 } : { blocks: 10, iterations: 3, warmUp: 1 }),
    });
    return [
      row(
        "puts of 1 KB, one at a time: rate of a sealing client against that of our own client without a sealer",
        [small.put, small.putSealed, small.putControl],
        0.9,
        perSecond(small.put),
      ),
      row(
        "gets of 1 KB, likewise",
        [small.get, small.getSealed, small.getControl],
        0.9,
        perSecond(small.get),
      ),
      row(
        "puts of 64 MiB in memory, likewise",
        [large.put, large.putSealed, large.putControl],
        0.8,
        megabytesPerSecond("that client", large.put),
      ),
      {
        what: "the same by our own client without a sealer, of a copy of the body made for each: what memory for a second body takes",
        measured: medianRatio(large.put, large.putCopy),
        unit: "ratio",
      },
      row(
        "puts of a stream of 64 MiB, likewise",
        [large.stream, large.streamSealed],
        0.8,
        megabytesPerSecond("that client", large.stream),
      ),
      row(
        "gets of 64 MiB into memory, likewise",
        [large.get, large.getSealed, large.getControl],
        0.8,
        megabytesPerSecond("that client", large.get),
      ),
    ];
  } finally {
    await clients.close();
    await server.close();
  }
}

function repeat(operation: () => Promise<unknown>): Arm {
  return () => operation;
}

function putStream(client: S3Client, key: string): Promise<unknown> {
  return put(client, key, Readable.from(inChunks(LARGE)), LARGE_BYTES);
}

/** Times of the client without a sealer, of the sealing one, and of a second one without. */
type Compared = readonly [plain: Blocks, sealed: Blocks, control?: Blocks];

function row(what: string, [plain, sealed, control]: Compared, atLeast: number, yardstick: string): Row {
  return {
    what,
    measured: medianRatio(plain, sealed),
    unit: "ratio",
    bar: { atLeast },
    ...(control !== undefined && { control: medianRatio(control, plain) }),
    yardstick,
  };
}

function perSecond(times: Blocks): string {
  const rate = 1e6 / median(times.flatMap((block) => [...block]));
  return `that client: ${Math.round(rate).toLocaleString("en")} a second`;
}

/** Nobody has a key yet, and everybody comes at once. */
async function firstCalls({ quick, dist }: Scale): Promise<readonly Row[]> {
  const { startSimulator } = await built<typeof Testing>(dist, "simulator/index.js");
  const sim = await startSimulator({ buckets: [BUCKET] });
  const server = { clientConfig: sim.clientConfig, kmsKey: sim.createKmsKey().arn, close: () => sim.close() };
  const clients = await Clients.of(server, dist);
  const calls = quick ? 100 : 1_000;
  const asked = (action: string): number =>
    sim
      .kmsClientRequests()
      .filter((call) => call.action === action)
      .reduce((sum, { count }) => sum + count, 0);
  const atOnce = (call: (i: number) => Promise<unknown>): Promise<unknown> =>
    Promise.all(Array.from({ length: calls }, (_, i) => call(i)));
  try {
    const writer = clients.sealing();
    await atOnce((i) => put(writer, `first-${i}`, SMALL));
    const generated = asked("GenerateDataKey");
    const reader = clients.sealing();
    await atOnce((i) => get(reader, `first-${i}`));
    const many = calls.toLocaleString("en");
    return [
      {
        what: `GenerateDataKey requests for the first ${many} puts, all at once`,
        measured: exactly(generated),
        unit: "requests",
        bar: { atMost: 1 },
      },
      {
        what: `Decrypt requests for the first ${many} gets of objects under one bucket key, all at once`,
        measured: exactly(asked("Decrypt")),
        unit: "requests",
        bar: { atMost: 1 },
      },
    ];
  } finally {
    await clients.close();
    await sim.close();
  }
}
