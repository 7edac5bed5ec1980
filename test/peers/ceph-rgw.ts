import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { progress, seconds } from "./cache.ts";
import { CEPH_LINE, type CephPrograms, installCeph } from "./ceph-install.ts";
import type { Peer, RunningPeer } from "./peer.ts";
import { freePorts } from "./ports.ts";
import { answers, run, type RunningProcess, startProcess, waitUntil } from "./process.ts";

const CREDENTIALS = { accessKeyId: "test", secretAccessKey: "testtest" };
/** The gateway takes any key id as a name; ours look like AWS's, as a policy wants them. */
const KMS_KEYS = {
  rule: "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
  other: "arn:aws:kms:us-east-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321",
  missing: "arn:aws:kms:us-east-1:111122223333:key/00000000-12ab-34cd-56ef-1234567890ab",
};

/** Two of the monitor, one of the gateway, eight of the storage daemon. */
const PORTS = 11;

/**
 * Ceph RADOS Gateway: one monitor, one storage daemon in memory, one gateway. Encrypts with SSE-KMS under a key
 * store of its own, and never says a word about bucket keys.
 */
export const cephRgw: Peer = {
  name: "ceph-rgw",
  version: CEPH_LINE,
  async start(): Promise<RunningPeer> {
    const programs = await installCeph();
    const started = Date.now();
    const cluster = await Cluster.make(programs);
    try {
      await cluster.start();
      progress(`Ceph RADOS Gateway ${programs.version} up in ${seconds(started)}`);
      return {
        endpoint: cluster.endpoint,
        region: "us-east-1",
        credentials: CREDENTIALS,
        kmsKeys: KMS_KEYS,
        stop: () => cluster.stop(),
      };
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  },
};

class Cluster {
  readonly #programs: CephPrograms;
  readonly #firstPort: number;
  /** Data, logs and configuration; in the temporary folder because socket paths must stay short. */
  readonly #folder: string = mkdtempSync(join(tmpdir(), "peer-ceph-"));
  readonly #daemons: RunningProcess[] = [];

  constructor(programs: CephPrograms, firstPort: number) {
    this.#programs = programs;
    this.#firstPort = firstPort;
  }

  static async make(programs: CephPrograms): Promise<Cluster> {
    return new Cluster(programs, await freePorts(PORTS));
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#firstPort + 2}`;
  }

  async start(): Promise<void> {
    const folder = this.#folder;
    const fsid = randomUUID();
    const osd = randomUUID();
    for (const data of ["mon", "osd", "rgw"]) mkdirSync(join(folder, data));
    writeFileSync(join(folder, "ceph.conf"), this.#configuration(fsid));

    const monmap = join(folder, "monmap");
    await this.#run("monmaptool", ["--create", "--fsid", fsid, "--addv", "a", this.#monAddresses(), monmap]);
    await this.#run("ceph-mon", ["-i", "a", "--mkfs", "--monmap", monmap]);
    this.#daemon("ceph-mon", ["-i", "a", "-f"]);
    // Waits for the monitor by itself.
    await this.#run("ceph", ["--connect-timeout", "30", "osd", "new", osd]);

    await this.#run("ceph-osd", ["-i", "0", "--mkfs", "--osd-uuid", osd]);
    this.#daemon("ceph-osd", ["-i", "0", "-f"]);
    const gateway = ["-n", "client.rgw"];
    this.#daemon("radosgw", [...gateway, "-f"]);
    await waitUntil(() => answers(this.endpoint), {
      processes: this.#daemons,
      timeoutSeconds: 60,
      failure: "The Ceph RADOS Gateway did not answer",
    });
    await this.#run("radosgw-admin", [
      ...gateway,
      "--ms-mon-client-mode=crc",
      "user",
      "create",
      "--uid=test",
      "--display-name=test",
      `--access-key=${CREDENTIALS.accessKeyId}`,
      `--secret-key=${CREDENTIALS.secretAccessKey}`,
    ]);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#daemons.map((daemon) => daemon.stop()));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #daemon(program: string, args: readonly string[]): void {
    const options = { logFile: join(this.#folder, `${program}.out`), env: this.#env() };
    this.#daemons.push(startProcess(join(this.#programs.bin, program), args, options));
  }

  async #run(program: string, args: readonly string[]): Promise<void> {
    await run(join(this.#programs.bin, program), args, {
      logFile: join(this.#folder, `${program}.run`),
      env: this.#env(),
      timeoutSeconds: 60,
      failure: "The Ceph cluster did not start",
    });
  }

  #env(): Readonly<Record<string, string>> {
    const configuration = join(this.#folder, "ceph.conf");
    return { ...this.#programs.env, CEPH_CONF: configuration, CEPH_ARGS: `-c ${configuration}` };
  }

  #monAddresses(): string {
    return `[v2:127.0.0.1:${this.#firstPort},v1:127.0.0.1:${this.#firstPort + 1}]`;
  }

  #configuration(fsid: string): string {
    const { libraries } = this.#programs;
    const key = Buffer.alloc(32, "A").toString("base64");
    return `
[global]
fsid = ${fsid}
mon host = [v2:127.0.0.1:${this.#firstPort}/0,v1:127.0.0.1:${this.#firstPort + 1}/0]
# No secrets to make and to share: everything listens on loopback only.
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
ms bind before connect = false
ms bind port min = ${this.#firstPort + 3}
ms bind port max = ${this.#firstPort + PORTS - 1}
plugin dir = ${join(libraries, "ceph")}
erasure code dir = ${join(libraries, "ceph", "erasure-code")}
osd class dir = ${join(libraries, "rados-classes")}
run dir = ${this.#folder}
crash dir = ${this.#folder}
admin socket =
log file = ${join(this.#folder, "$name.log")}
pid file = ${join(this.#folder, "$name.pid")}
log to stderr = false
err to stderr = true
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon data avail crit = 1
mon data avail warn = 1
# Agree at once: there is nobody to wait for. Starts in 3 s instead of 15 s.
paxos propose interval = 0.05
paxos min wait = 0.02
[mon.a]
mon data = ${join(this.#folder, "mon")}
[osd]
osd data = ${join(this.#folder, "osd")}
osd objectstore = memstore
memstore device bytes = 4294967296
osd op threads = 2
[client.rgw]
# Without authentication the gateway loops on error -13 unless this is said.
ms mon client mode = crc
rgw data = ${join(this.#folder, "rgw")}
rgw frontends = beast endpoint=127.0.0.1:${this.#firstPort + 2}
rgw enable apis = s3
rgw enable usage log = false
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = ${KMS_KEYS.rule}=${key} ${KMS_KEYS.other}=${key}
`;
  }
}
