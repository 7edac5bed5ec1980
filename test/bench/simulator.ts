/** The simulator against a server that does nothing: what it adds to a client's request, and what it takes alone. */
import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type * as Testing from "../../src/simulator/index.ts";
import { built, type Bench } from "./bench.ts";
import { interleave, type Arm } from "./interleave.ts";
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
  const sim = await startSimulator({ buckets: [BUCKET] });
  const key = sim.createKmsKey();
  const [nothing, control] = await Promise.all([doNothingServer(), doNothingServer()]);
  const servers: Server[] = [sim, nothing, control];
  const raw = await Promise.all([rawPuts(sim.endpoint, key.arn), rawPuts(nothing.endpoint, key.arn)]);
  const clients: S3Client[] = [];
  const puts = (endpoint: string): Arm => {
    const client = new S3Client({ ...sim.clientConfig, endpoint });
    clients.push(client);
    return clientPuts(client, key.arn);
  };
  try {
    const times = await interleave({
      arms: () => ({
        simulator: puts(sim.endpoint),
        nothing: puts(nothing.endpoint),
        control: puts(control.endpoint),
        raw: raw[0].arm,
        rawNothing: raw[1].arm,
      }),
      ...(quick ? { blocks: 4, iterations: 40, warmUp: 40 } : { blocks: 20, iterations: 150, warmUp: 50 }),
    });
    const beyond = times.raw.map((block, b) =>
      block.map((time, i) => time - ((times.rawNothing[b] as Float64Array)[i] as number)),
    );
    const rawNothing = median(times.rawNothing.flatMap((block) => [...block])) / 1_000;
    const toClient = medianRatio(times.control, times.nothing);
    return [
      {
        what: "simulator, 1 KB SSE-KMS puts of a stock client: rate against a server that does nothing",
        measured: medianRatio(times.nothing, times.simulator),
        unit: "ratio",
        bar: { atLeast: 0.7 },
        control: toClient,
      },
      {
        what: "simulator, one raw pre-built 1 KB put on a kept-alive socket, there and back",
        measured: medianOfBlocks(milliseconds(times.raw)),
        unit: "ms",
        bar: { atMost: 0.2 },
        control: toClient,
        yardstick: `a server that does nothing: ${rawNothing.toFixed(3)} ms`,
      },
      {
        what: "simulator, of that beyond what a server that does nothing takes",
        measured: medianOfBlocks(milliseconds(beyond)),
        unit: "ms",
        control: toClient,
      },
    ];
  } finally {
    for (const client of clients) client.destroy();
    for (const { end } of raw) end();
    await Promise.all(servers.map((server) => server.close()));
  }
};

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
async function rawPuts(endpoint: string, kmsKey: string): Promise<{ arm: Arm; end: () => void }> {
  const { host, port, hostname } = new URL(endpoint);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  const request = Buffer.from(
    [
      `PUT /${BUCKET}/raw HTTP/1.1`,
      `host: ${host}`,
      "authorization: AWS4-HMAC-SHA256 Credential=BENCH/20261125/eu-west-1/s3/aws4_request, " +
        `SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${"0".repeat(64)}`,
      "x-amz-date: 20261125T000000Z",
      "x-amz-content-sha256: UNSIGNED-PAYLOAD",
      "x-amz-server-side-encryption: aws:kms",
      `x-amz-server-side-encryption-aws-kms-key-id: ${kmsKey}`,
      "x-amz-server-side-encryption-bucket-key-enabled: true",
      `content-length: ${BODY.length}`,
      "",
      BODY,
    ].join("\r\n"),
  );
  const putOnce = (): Promise<void> =>
    new Promise((resolve, reject) => {
      let answer = "";
      socket.on("data", function onData(chunk: Buffer) {
        answer += chunk.toString("latin1");
        if (!answer.includes("\r\n\r\n")) return;
        socket.off("data", onData);
        if (answer.startsWith("HTTP/1.1 200 ")) resolve();
        else reject(new Error(`A raw put was answered: ${answer}`));
      });
      socket.write(request);
    });
  return { arm: () => putOnce, end: () => socket.destroy() };
}
