import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { installOnce, progress, seconds } from "./cache.ts";
import type { Peer, RunningPeer } from "./peer.ts";
import { freePorts } from "./ports.ts";
import { answers, run, startProcess, waitUntil } from "./process.ts";

const VERSION = "5.2.5";
const REGION = "us-east-1";
/** moto takes any credentials; these mean nothing. */
const CREDENTIALS = { accessKeyId: "test", secretAccessKey: "test" };

/** moto: an emulator of AWS in Python. Keeps the flag, checks neither signatures nor keys. */
export const moto: Peer = {
  name: "moto",
  version: VERSION,
  async start(): Promise<RunningPeer> {
    const environment = await installOnce(`moto-${VERSION}`, install);
    const started = Date.now();
    const logs = mkdtempSync(join(tmpdir(), "peer-moto-"));
    const port = await freePorts(1);
    const endpoint = `http://127.0.0.1:${port}`;
    const server = startProcess(
      join(environment, "bin", "moto_server"),
      ["-H", "127.0.0.1", "-p", `${port}`],
      {
        logFile: join(logs, "moto.log"),
      },
    );
    const stop = async (): Promise<void> => {
      await server.stop();
      rmSync(logs, { recursive: true, force: true });
    };
    try {
      await waitUntil(() => answers(`${endpoint}/moto-api/`), {
        processes: [server],
        timeoutSeconds: 30,
        failure: "moto did not answer",
      });
      const rule = await createKey(endpoint);
      const missing = rule.replace(/[^/]+$/, "00000000-12ab-34cd-56ef-1234567890ab");
      const kmsKeys = { rule, other: await createKey(endpoint), missing };
      progress(`moto ${VERSION} up in ${seconds(started)}`);
      return { endpoint, region: REGION, credentials: CREDENTIALS, kmsKeys, stop };
    } catch (error) {
      await stop();
      throw error;
    }
  },
};

async function install(folder: string): Promise<void> {
  const failure = `moto ${VERSION} could not be installed (it needs a python3 >= 3.9 with venv and pip on the PATH, and a package index)`;
  const step = async (command: string, args: readonly string[], timeoutSeconds: number): Promise<void> => {
    await run(command, args, { logFile: join(folder, "install.log"), timeoutSeconds, failure });
  };
  await step(
    "python3",
    ["-c", "import sys, venv, ensurepip; assert sys.version_info >= (3, 9), sys.version"],
    20,
  );
  await step("python3", ["-m", "venv", folder], 120);
  const pip = join(folder, "bin", "pip");
  const packages = [`moto[s3,kms]==${VERSION}`, "flask", "flask-cors"];
  await step(pip, ["install", "--quiet", "--disable-pip-version-check", ...packages], 300);
}

async function createKey(endpoint: string): Promise<string> {
  const kms = new KMSClient({ endpoint, region: REGION, credentials: CREDENTIALS });
  try {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    if (KeyMetadata?.Arn === undefined) throw new Error("moto made a KMS key without an ARN");
    return KeyMetadata.Arn;
  } finally {
    kms.destroy();
  }
}
