/** The simulator as a process of its own, so that what it does isn't counted to the client; and clients of it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { KMSClient } from "@aws-sdk/client-kms";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { Readable } from "node:stream";
import type * as Main from "../../src/index.ts";
import type { SimulatorClientConfig } from "../../src/simulator/index.ts";
import { startTalking } from "../peers/process.ts";
import { built } from "./bench.ts";
import { envelopeModule, type EnvelopeModule } from "./envelope-fixture.ts";

export const BUCKET = "bench";

/** A server with S3 and KMS. */
export interface BenchServer {
  readonly clientConfig: SimulatorClientConfig;
  /** ARN of a key. */
  readonly kmsKey: string;
  close(): Promise<void>;
}

const PROGRAM = fileURLToPath(new URL("simulator-process.ts", import.meta.url));

export async function startSimulatorProcess(dist: URL): Promise<BenchServer> {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  const entry = new URL("simulator/index.js", dist).href;
  const child = startTalking(process.execPath, ["--import", "tsx", PROGRAM, entry, BUCKET], {
    logFile: join(folder, "errors.log"),
  });
  const { value, done } = await createInterface(child.stdout)[Symbol.asyncIterator]().next();
  if (done === true) throw new Error(`The simulator did not start.\n${child.lastOutput()}`);
  return {
    ...(JSON.parse(value) as Pick<BenchServer, "clientConfig" | "kmsKey">),
    async close() {
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What makes clients of one server, plain ones and such that seal, and ends them all. */
export class Clients {
  readonly #server: BenchServer;
  readonly #main: typeof Main;
  readonly #module: EnvelopeModule;
  readonly #ends: (() => unknown)[] = [];

  private constructor(server: BenchServer, main: typeof Main, module: EnvelopeModule) {
    this.#server = server;
    this.#main = main;
    this.#module = module;
  }

  static async of(server: BenchServer, dist: URL): Promise<Clients> {
    return new Clients(server, await built<typeof Main>(dist, "index.js"), await envelopeModule(dist));
  }

  /** A stock client. */
  plain(): S3Client {
    const client = new S3Client(this.#server.clientConfig);
    this.#ends.push(() => client.destroy());
    return client;
  }

  /** The same with the plugin. */
  unsealed(): S3Client {
    return this.#withPlugin({});
  }

  /** The same with a sealer that asks the server's KMS. */
  sealing(): S3Client {
    const { clientConfig, kmsKey } = this.#server;
    const { endpoint, region, credentials } = clientConfig;
    const kms = new KMSClient({ endpoint, region, credentials });
    const { envelope, kmsKeyring } = this.#module;
    const sealer = envelope({ keyring: kmsKeyring({ client: kms, keyId: kmsKey }) });
    this.#ends.push(
      () => sealer.close(),
      () => kms.destroy(),
    );
    return this.#withPlugin({ envelope: sealer });
  }

  #withPlugin(options: Parameters<typeof Main.bucketKeys>[0]): S3Client {
    const plugin = this.#main.bucketKeys(options);
    const client = this.plain();
    client.middlewareStack.use(plugin);
    this.#ends.push(() => plugin.close());
    return client;
  }

  async close(): Promise<void> {
    for (const end of this.#ends) await end();
  }
}

export function put(
  client: S3Client,
  key: string,
  body: Uint8Array | Readable,
  length?: number,
): Promise<unknown> {
  return client.send(
    new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body, ContentLength: length ?? undefined }),
  );
}

/** The whole object, in memory. */
export async function get(client: S3Client, key: string): Promise<Uint8Array | undefined> {
  const { Body: body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
  return body?.transformToByteArray();
}
