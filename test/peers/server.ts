import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { progress, seconds } from "./cache.ts";
import type { KmsKeys, RunningPeer } from "./peer.ts";
import { freePorts } from "./ports.ts";
import { answers, type Environment, startProcess, waitUntil } from "./process.ts";

/** A peer that is one process on one port. */
export interface Server {
  /** With its version, for whoever waits. */
  readonly name: string;
  readonly command: string;
  /** @param folder - For its files; goes when it ends. */
  readonly args: (address: string, folder: string) => readonly string[];
  readonly env?: (address: string, folder: string) => Environment;
  /** Path that is answered with success when it is up. */
  readonly isUp: string;
  readonly credentials: RunningPeer["credentials"];
  /** Keys that are there when it is up; left out, they are made by its KMS. */
  readonly kmsKeys?: KmsKeys;
  /** @defaultValue 60 */
  readonly timeoutSeconds?: number;
}

const REGION = "us-east-1";

/** Starts it on a free port of 127.0.0.1. @throws `Error` with its last output when it does not come up. */
export async function startServer(server: Server): Promise<RunningPeer> {
  const started = Date.now();
  const folder = mkdtempSync(join(tmpdir(), "peer-"));
  const data = join(folder, "data");
  mkdirSync(data);
  const address = `127.0.0.1:${await freePorts(1)}`;
  const endpoint = `http://${address}`;
  const running = startProcess(server.command, server.args(address, data), {
    logFile: join(folder, "server.log"),
    cwd: folder,
    env: server.env?.(address, data) ?? {},
  });
  const stop = async (): Promise<void> => {
    await running.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    await waitUntil(() => answers(`${endpoint}${server.isUp}`), {
      processes: [running],
      timeoutSeconds: server.timeoutSeconds ?? 60,
      failure: `${server.name} did not answer`,
    });
    const { credentials } = server;
    const kmsKeys =
      server.kmsKeys ?? (await makeKeys(new KMSClient({ endpoint, region: REGION, credentials })));
    progress(`${server.name} up in ${seconds(started)}`);
    return { endpoint, region: REGION, credentials, kmsKeys, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Two keys of the peer's own KMS, and the ARN of one that is not there. */
async function makeKeys(kms: KMSClient): Promise<KmsKeys> {
  const make = async (): Promise<string> => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    if (KeyMetadata?.Arn === undefined) throw new Error("A KMS key was made without an ARN");
    return KeyMetadata.Arn;
  };
  try {
    const rule = await make();
    return {
      rule,
      other: await make(),
      missing: rule.replace(/[^/]+$/, "00000000-12ab-34cd-56ef-1234567890ab"),
    };
  } finally {
    kms.destroy();
  }
}
