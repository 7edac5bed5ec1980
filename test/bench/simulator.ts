/** The simulator against a server that does nothing: what it adds to a client's request, and what it takes alone. */
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type * as Testing from "../../src/simulator/index.ts";
import { built, type Bench, type Row } from "./bench.ts";
import { interleave, type Arm } from "./interleave.ts";
import { presignedPut, RawSocket, type Target } from "./raw-put.ts";
import { median, medianOfBlocks, medianRatio, type Blocks } from "./statistics.ts";

const BUCKET = "bench";
const BODY = "x".repeat(1_024);
/** Written over and over, so that the memory in use stays the same. */
const KEYS = 16;

interface Server {
  readonly endpoint: string;
  close(): Promise<void>;
}

export const simulator: Bench = async ({ quick, dist }) => {
  const { startSimulator } = await built<typeof Testing>(dist, "simulator/index.js");
  const trusting = await startSimulator({ buckets: [BUCKET] });
  const verifying = await startSimulator({ buckets: [BUCKET], verifySignatures: true });
  const [nothing, control] = await Promise.all([doNothingServer(), doNothingServer()]);
  const { clientConfig } = trusting;
  const targetOf = ({ endpoint }: Server, kmsKey = "none"): Target => ({
    ...clientConfig,
    endpoint,
    bucket: BUCKET,
    kmsKey,
  });
  const targets = {
    trusting: targetOf(trusting, trusting.createKmsKey().arn),
    verifying: targetOf(verifying, verifying.createKmsKey().arn),
    nothing: targetOf(nothing),
    control: targetOf(control),
  };
  const raw = {
    trusting: await rawPuts(targets.trusting),
    verifying: await rawPuts(targets.verifying),
    nothing: await rawPuts(targets.nothing),
  };
  const clients: S3Client[] = [];
  const puts = ({ endpoint, kmsKey }: Target): Arm => {
    const client = new S3Client({ ...clientConfig, endpoint });
    clients.push(client);
    return clientPuts(client, kmsKey);
  };
  try {
    const times = await interleave({
      arms: () => ({
        trusting: puts(targets.trusting),
        verifying: puts(targets.verifying),
        nothing: puts(targets.nothing),
        control: puts(targets.control),
        rawTrusting: raw.trusting.arm,
        rawVerifying: raw.verifying.arm,
        rawNothing: raw.nothing.arm,
      }),
      ...(quick ? { blocks: 4, iterations: 40, warmUp: 40 } : { blocks: 20, iterations: 150, warmUp: 50 }),
    });
    const rawNothing = median(times.rawNothing.flatMap((block) => [...block])) / 1_000;
    const toClient = medianRatio(times.control, times.nothing);
    const yardstick = `a server that does nothing: ${rawNothing.toFixed(3)} ms`;
    return [
      {
        what: "simulator, 1 KB SSE-KMS puts of a stock client: rate against a server that does nothing",
        measured: medianRatio(times.nothing, times.trusting),
        unit: "ratio",
        bar: { atLeast: 0.7 },
        control: toClient,
      },
      {
        what: "the same with verifySignatures",
        measured: medianRatio(times.nothing, times.verifying),
        unit: "ratio",
        bar: { atLeast: 0.6 },
        control: toClient,
      },
      {
        what: "simulator, one raw presigned 1 KB put on a kept-alive socket, there and back",
        measured: medianOfBlocks(milliseconds(times.rawTrusting)),
        unit: "ms",
        bar: { atMost: 0.2 },
        control: toClient,
        yardstick,
      },
      {
        what: "the same with verifySignatures",
        measured: medianOfBlocks(milliseconds(times.rawVerifying)),
        unit: "ms",
        control: toClient,
        yardstick,
      },
      {
        what: "simulator, of that beyond what a server that does nothing takes",
        measured: medianOfBlocks(milliseconds(beyond(times.rawTrusting, times.rawNothing))),
        unit: "ms",
        control: toClient,
      },
      {
        what: "the same with verifySignatures",
        measured: medianOfBlocks(milliseconds(beyond(times.rawVerifying, times.rawNothing))),
        unit: "ms",
        bar: { atMost: 0.25 },
        control: toClient,
      },
      await memoryRow(quick, dist),
    ];
  } finally {
    for (const client of clients) client.destroy();
    for (const { end } of Object.values(raw)) end();
    await Promise.all([trusting, verifying, nothing, control].map((server) => server.close()));
  }
};

/** What one arm takes more than another, iteration by iteration. */
function beyond(slower: Blocks, floor: Blocks): Blocks {
  return slower.map((block, b) => block.map((time, i) => time - ((floor[b] as Float64Array)[i] as number)));
}

function milliseconds(blocks: Blocks): Blocks {
  return blocks.map((block) => block.map((time) => time / 1_000));
}

function clientPuts(client: S3Client, kmsKey: string): Arm {
  let i = 0;
  return () => {
    const command = new PutObjectCommand({
      Bucket: BUCKET,
      Key: `key-${i++ % KEYS}`,
      Body: BODY,
      ServerSideEncryption: "aws:kms",
      SSEKMSKeyId: kmsKey,
      BucketKeyEnabled: true,
    });
    return () => client.send(command);
  };
}

async function doNothingServer(): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The same bytes again and again over one socket: no client to speak of. */
async function rawPuts(target: Target): Promise<{ arm: Arm; end: () => void }> {
  const socket = await RawSocket.open(target.endpoint);
  const request = presignedPut(target, "raw");
  return { arm: () => () => socket.send(request), end: () => socket.end() };
}

async function memoryRow(quick: boolean, dist: URL): Promise<Row> {
  const count = quick ? 5_000 : 100_000;
  const program = fileURLToPath(new URL("simulator-memory.ts", import.meta.url));
  const entry = new URL("simulator/index.js", dist).href;
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--import",
    "tsx",
    program,
    entry,
    String(count),
  ]);
  const megabytes = (JSON.parse(stdout) as { rss: number }).rss / 1e6;
  return {
    what: `simulator, ${count.toLocaleString("en")} objects of 1 KB, signatures verified: memory of the whole process`,
    measured: { value: megabytes, low: megabytes, high: megabytes },
    unit: "MB",
    bar: { atMost: 500 },
  };
}
