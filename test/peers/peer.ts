/**
 * Peers: S3 servers that nobody here wrote, and our own simulator beside them.
 *
 * Our tests elsewhere run against a simulator that we wrote from the same facts as the plugin; a mistake in
 * those facts would stand on both sides. Here the plugin, on a stock `S3Client`, does the same work against
 *
 * - **moto** (Python): keeps and returns the flag, refuses nothing;
 * - **Ceph RADOS Gateway**: really encrypts with KMS, and never returns the flag: drift must show;
 * - **LocalStack** (Python >= 3.12): nearest to AWS for the flag;
 * - **versitygw** (Go): ignores whatever is said of encryption, and is strict about the rest;
 * - **MinIO** (Go): encrypts with KMS under a key of its own, and drops the flag;
 * - **the simulator** of this package, its signatures verified, held to the same table.
 *
 * `cases.ts` says what is done and what AWS answers; `differences.ts` says, peer by peer and case by case, what
 * is answered instead and why. A difference is asserted like anything else: one that disappears fails.
 *
 * `npm run test:peers` installs (once, under `.cache/peers/`, by version), starts, tests and ends moto, Ceph and the
 * simulator; `npm run test:peers:all` all of them and the clients (`clients/client.ts`); `npm run test:peers -- moto`
 * one of them; `npm run test:peers -- --smoke` the core of the suite. A peer that cannot be installed or started fails
 * the run.
 */
export interface Peer {
  readonly name: PeerName;
  readonly version: string;
  /**
   * Installs the peer when that was not done yet, and starts it on free ports of 127.0.0.1.
   *
   * @throws `Error` whose message says what is missing.
   */
  start(): Promise<RunningPeer>;
}

export type PeerName = "moto" | "ceph-rgw" | "simulator" | "localstack" | "versitygw" | "minio";

export interface RunningPeer {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly kmsKeys: KmsKeys;
  /** Ends all that was started and removes its files. */
  stop(): Promise<void>;
}

/** ARNs of two KMS keys that exist on the peer, and of one that does not. */
export interface KmsKeys {
  readonly rule: string;
  readonly other: string;
  readonly missing: string;
}
