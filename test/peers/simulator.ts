import { createRequire } from "node:module";
import { startSimulator } from "../../src/simulator/index.ts";
import { progress } from "./cache.ts";
import type { Peer, RunningPeer } from "./peer.ts";

const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };

const PRINCIPAL = {
  accessKeyId: "test",
  secretAccessKey: "test",
  principalArn: "arn:aws:iam::111122223333:user/test",
};

/** The simulator of this package, in this process: our own reading of AWS, held to the same lines. */
export const simulator: Peer = {
  name: "simulator",
  version,
  async start(): Promise<RunningPeer> {
    const started = await startSimulator({ credentials: [PRINCIPAL], verifySignatures: true });
    progress(`simulator ${version} up`);
    const { endpoint, region, credentials } = started.clientConfig;
    const rule = started.createKmsKey().arn;
    const missing = rule.replace(/[^/]+$/, "00000000-12ab-34cd-56ef-1234567890ab");
    const kmsKeys = { rule, other: started.createKmsKey().arn, missing };
    return { endpoint, region, credentials, kmsKeys, stop: () => started.close() };
  },
};
