/**
 * 64 MiB, less a tag, through the official S3 Encryption Clients for Python, Java and Go, and through ours, against the same server.
 *
 * They run in processes of their own and time their calls themselves, so that no way to them is counted.
 */
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { moto } from "../peers/moto.ts";
import type { S3ecClient } from "../peers/s3ec/client.ts";
import { bodyOf } from "../peers/s3ec/bodies.ts";
import { s3ecGo } from "../peers/s3ec/go.ts";
import { s3ecJava } from "../peers/s3ec/java.ts";
import type { Program } from "../peers/s3ec/program.ts";
import { s3ecPython } from "../peers/s3ec/python.ts";
import type { Bench, Row } from "./bench.ts";
import { LARGE_BYTES, megabytesPerSecond } from "./envelope-fixture.ts";
import { BUCKET, type BenchServer, Clients, get, put, startSimulatorProcess } from "./envelope-server.ts";
import { shuffled } from "./interleave.ts";
import { medianRatio, type Blocks } from "./statistics.ts";

const OFFICIAL: readonly (readonly [language: string, client: S3ecClient])[] = [
  ["Python", s3ecPython],
  ["Java", s3ecJava],
  ["Go", s3ecGo],
];
const DIRECTIONS = ["put", "get"] as const;
/** The buffer of the client for Java has 64 MiB for ciphertext and tag together. */
const SEEDED = { seed: "bench", bytes: LARGE_BYTES - 16 };
/** One call; gives its microseconds. */
type Timed = () => Promise<number>;

export const envelopeClients: Bench = async ({ quick, dist }) => {
  const rows: Row[] = [];
  for (const [name, start] of [
    ["the simulator", startSimulatorProcess],
    ["moto", startMoto],
  ] as const) {
    const server = await start(dist);
    try {
      rows.push(...(await against(name, server, dist, quick)));
    } finally {
      await server.close();
    }
  }
  return rows;
};

async function against(
  name: string,
  server: BenchServer,
  dist: URL,
  quick: boolean,
): Promise<readonly Row[]> {
  const { endpoint, region, credentials } = server.clientConfig;
  const kmsKeys = { rule: server.kmsKey, other: server.kmsKey, missing: server.kmsKey };
  const target = { server: { endpoint, region, credentials, kmsKeys }, bucket: BUCKET };
  const clients = await Clients.of(server, dist);
  const programs: Program[] = [];
  const arms = new Map<string, Timed>();
  const body = bodyOf(SEEDED);
  for (const [arm, client] of [
    ["plain", clients.unsealed()],
    ["ours", clients.sealing()],
  ] as const) {
    arms.set(`put ${arm}`, () => timed(() => put(client, arm, body)));
    arms.set(`get ${arm}`, () => timed(() => get(client, arm)));
  }
  try {
    for (const [language, client] of OFFICIAL) {
      const program = await client.start(target);
      programs.push(program);
      for (const what of DIRECTIONS) {
        arms.set(`${what} ${language}`, async () => {
          const job = {
            do: "time",
            what,
            client: "official",
            key: language,
            body: SEEDED,
            calls: 1,
          } as const;
          const { seconds: [seconds = Number.NaN] = [] } = await program.do(job);
          return seconds * 1e6;
        });
      }
    }
    const times = await inTurns(
      arms,
      quick ? { blocks: 2, rounds: 1, warmUp: 1 } : { blocks: 8, rounds: 2, warmUp: 3 },
    );
    const of = (arm: string): Blocks => times.get(arm) as Blocks;
    return DIRECTIONS.flatMap((what) => [
      ...OFFICIAL.map(([language, { version }]) => ({
        what: `${what}s of 64 MiB to ${name}: how many times as fast as the official client for ${language} ${version}`,
        measured: medianRatio(of(`${what} ${language}`), of(`${what} ours`)),
        unit: "ratio" as const,
        bar: { atLeast: 1.1 },
        yardstick: megabytesPerSecond("that", of(`${what} ${language}`)),
      })),
      ...OFFICIAL.map(([language]) => ({
        what: `the same by our own client without a sealer, against the sealing one for ${language}: the most there is to reach`,
        measured: medianRatio(of(`${what} ${language}`), of(`${what} plain`)),
        unit: "ratio" as const,
      })),
      {
        what: `${what}s of 64 MiB to ${name}: rate against our own client without a sealer`,
        measured: medianRatio(of(`${what} plain`), of(`${what} ours`)),
        unit: "ratio" as const,
        bar: { atLeast: 0.8 },
        yardstick: megabytesPerSecond("that", of(`${what} plain`)),
      },
    ]);
  } finally {
    for (const program of programs) await program.end();
    await clients.close();
  }
}

/** One call of every arm in every round, in a freshly shuffled order; first, and apart, what is put. */
async function inTurns(
  arms: ReadonlyMap<string, Timed>,
  { blocks, rounds, warmUp }: { readonly blocks: number; readonly rounds: number; readonly warmUp: number },
): Promise<ReadonlyMap<string, Blocks>> {
  // In their order: a get needs what was put.
  for (let i = 0; i < warmUp; i++) for (const arm of arms.values()) await arm();
  const times = new Map<string, Float64Array[]>();
  for (const name of arms.keys()) {
    times.set(
      name,
      Array.from({ length: blocks }, () => new Float64Array(rounds)),
    );
  }
  for (let block = 0; block < blocks; block++) {
    for (let round = 0; round < rounds; round++) {
      for (const [name, arm] of shuffled([...arms])) {
        ((times.get(name) as Float64Array[])[block] as Float64Array)[round] = await arm();
      }
    }
  }
  return times;
}

async function timed(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await call();
  return (performance.now() - start) * 1_000;
}

async function startMoto(dist: URL): Promise<BenchServer> {
  const running = await moto.start();
  const { endpoint, region, credentials, kmsKeys } = running;
  const server: BenchServer = {
    clientConfig: { endpoint, region, credentials, forcePathStyle: true },
    kmsKey: kmsKeys.rule,
    close: () => running.stop(),
  };
  const clients = await Clients.of(server, dist);
  await clients.plain().send(new CreateBucketCommand({ Bucket: BUCKET }));
  await clients.close();
  return server;
}
