/** Where the peers are known to differ from AWS, and why. Data: each line is asserted, and so is its being needed. */
import { CEPH_RGW } from "./differences/ceph-rgw.ts";
import type { Differences } from "./differences/difference.ts";
import { LOCALSTACK } from "./differences/localstack.ts";
import { MINIO } from "./differences/minio.ts";
import { MOTO } from "./differences/moto.ts";
import { VERSITYGW } from "./differences/versitygw.ts";
import type { PeerName } from "./peer.ts";

export const DIFFERENCES: Readonly<Record<PeerName, Differences>> = {
  moto: MOTO,
  "ceph-rgw": CEPH_RGW,
  simulator: { everywhere: [], cases: {} },
  localstack: LOCALSTACK,
  versitygw: VERSITYGW,
  minio: MINIO,
};
