/**
 * A service that has every trouble the dashboard and the alerts know, over and over: the traffic of the example, KMS
 * slow, throttled and back again, keys for single objects, a policy that is edited well and badly, a client under the
 * incident switch; and, when it is told to, a drift.
 *
 * Runs in the test, and bundled on its own beside other OpenTelemetry SDKs.
 */
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KMSClient } from "@aws-sdk/client-kms";
import { CopyObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { MeterProvider } from "@opentelemetry/api";
import { bucketKeys } from "s3-bucket-keys";
import { envelope, kmsKeyring } from "s3-bucket-keys/envelope";
import { otel } from "s3-bucket-keys/otel";
import { loadPolicy } from "s3-bucket-keys/policy-file";
import { startSimulator } from "s3-bucket-keys/testing";
import { BUCKETS, KMS_KEY_ID, makeTrouble, trafficRound } from "../../examples/observability/traffic.ts";

export interface WorkloadOptions {
  readonly meterProvider: MeterProvider;
  /** The policy to begin with; it is copied before it is edited. */
  readonly policyFile: string;
  /** For the copy. */
  readonly folder: string;
}

export interface Workload {
  /** Milliseconds since 1970 at which an answer had drifted, the first of this workload. */
  drift(): Promise<number>;
  /** Makes everything go wrong that has not yet: once. */
  trouble(): Promise<void>;
  stop(): Promise<void>;
}

const put = (client: S3Client, Bucket: string, Key: string): Promise<unknown> =>
  client.send(new PutObjectCommand({ Bucket, Key, Body: "{}" })).catch(() => {});

/** What KMS answers at the moment. */
type KmsMood = "well" | "slow" | "throttling";

const SLOW_MS = 800;
const ROUND_MS = 250;

export async function startWorkload(options: WorkloadOptions): Promise<Workload> {
  const { meterProvider, folder } = options;
  const policyFile = join(folder, "bucket-keys.yaml");
  await copyFile(options.policyFile, policyFile);
  const policyText = await readFile(policyFile, "utf8");

  const simulator = await startSimulator({ clock: "real", buckets: BUCKETS, minimumPartBytes: 1 });
  simulator.createKmsKey({ id: KMS_KEY_ID });
  const policy = await loadPolicy(policyFile, { watch: false });
  const kms = new KMSClient(simulator.clientConfig);
  let mood: KmsMood = "well";
  const moodyKms = {
    // As KMSClient's own.
    // oxlint-disable-next-line typescript/no-explicit-any
    async send(command: any, how?: any): Promise<any> {
      if (mood === "slow") await sleep(SLOW_MS);
      if (mood === "throttling")
        throw Object.assign(new Error("Rate exceeded"), { name: "ThrottlingException" });
      return kms.send(command, how);
    },
  };
  const sealer = envelope({
    keyring: kmsKeyring({ client: moodyKms, keyId: KMS_KEY_ID }),
    encryptionContext: ({ key }) => ({ tenant: key.split("/")[0] ?? "" }),
    maxAgeSeconds: 2,
    staleIfErrorSeconds: 600,
  });
  const telemetry = (): ReturnType<typeof otel> =>
    otel({ meterProvider, bucketAttribute: { max: 20 }, avoidedCost: { usdPer10000Requests: 0.03 } });
  const logger = { warn: (): void => {} };
  const plugin = bucketKeys({ policy, envelope: sealer, telemetry: telemetry(), logger });
  const s3 = new S3Client(simulator.clientConfig);
  s3.middlewareStack.use(plugin);

  // A second client, made while somebody has the incident switch on.
  process.env["S3_BUCKET_KEYS_MODE"] = "audit";
  const switchedOff = bucketKeys({ policy, telemetry: telemetry(), logger });
  process.env["S3_BUCKET_KEYS_MODE"] = "";
  const underSwitch = new S3Client(simulator.clientConfig);
  underSwitch.middlewareStack.use(switchedOff);

  /** KMS by turns, each turn three rounds; keys are two seconds old at most, so that every turn is felt. */
  const MOODS: readonly KmsMood[] = ["well", "slow", "throttling", "well"];
  const round = async (number: number): Promise<void> => {
    mood = MOODS[Math.floor(number / 3) % MOODS.length] ?? "well";
    await trafficRound(s3, number).catch(() => {});
    await put(underSwitch, "acme-lake", "under-the-switch");
    await put(s3, "acme-vault", `new-tenant-${number}/letter`);
    // A key for each object: nothing is saved.
    if (mood === "well") {
      await Promise.all(Array.from({ length: 6 }, (_, i) => put(s3, "acme-vault", `${number}-${i}/once`)));
    }
  };

  const stopping = new AbortController();
  let pausing: Promise<unknown> = Promise.resolve();
  let isDrifted = false;
  const going = (async (): Promise<void> => {
    for (let number = 0; !stopping.signal.aborted; number++) {
      await pausing;
      await round(number);
      await sleep(ROUND_MS);
    }
  })();
  /** Does it between two rounds. */
  const between = async (act: () => Promise<void>): Promise<void> => {
    const acting = pausing.then(act);
    pausing = acting.catch(() => {});
    return acting;
  };

  return {
    async drift(): Promise<number> {
      if (isDrifted) throw new Error("It has drifted before");
      isDrifted = true;
      const set = { "x-amz-server-side-encryption-bucket-key-enabled": null };
      simulator.injectFault({
        bucket: "acme-lake",
        key: "drifts",
        times: 1,
        fault: { kind: "headers", set },
      });
      await s3.send(new PutObjectCommand({ Bucket: "acme-lake", Key: "drifts", Body: "{}" }));
      return Date.now();
    },
    async trouble(): Promise<void> {
      await between(async () => {
        mood = "well";
        await makeTrouble(simulator, s3);
        // What the faults above wait for.
        await put(s3, "acme-lake", "trouble");
        const copy = { Bucket: "acme-lake", Key: "copy", CopySource: "acme-lake/trouble" };
        await s3.send(new CopyObjectCommand(copy)).catch(() => {});
        await writeFile(policyFile, policyText.replace("Most of the KMS bill.", "All of the KMS bill."));
        await policy.reload();
        await writeFile(policyFile, policyText.replace("bucketKey: on", "bucketKey: yes please"));
        await policy.reload();
      });
    },
    async stop(): Promise<void> {
      stopping.abort();
      await going;
      s3.destroy();
      underSwitch.destroy();
      await plugin.close();
      await switchedOff.close();
      await sealer.close();
      policy.close();
      kms.destroy();
      await simulator.close();
    },
  };
}
