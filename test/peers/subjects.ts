/**
 * All that is tested against, by name: servers that the plugin talks to, clients that talk to the simulator, and those
 * that exchange objects with envelope mode.
 */
import { awsCli1, awsCli2 } from "./clients/aws-cli.ts";
import { boto3 } from "./clients/boto3.ts";
import type { Client, ClientName } from "./clients/client.ts";
import { sdkGo } from "./clients/go.ts";
import { sdkJava } from "./clients/java.ts";
import { rclone } from "./clients/rclone.ts";
import { s3cmd } from "./clients/s3cmd.ts";
import { cephRgw } from "./ceph-rgw.ts";
import { localstack } from "./localstack.ts";
import { minio } from "./minio.ts";
import { moto } from "./moto.ts";
import type { Peer, PeerName } from "./peer.ts";
import type { S3ecClient, S3ecClientName } from "./s3ec/client.ts";
import { s3ecGo } from "./s3ec/go.ts";
import { s3ecJava } from "./s3ec/java.ts";
import { s3ecPython } from "./s3ec/python.ts";
import { simulator } from "./simulator.ts";
import { versitygw } from "./versitygw.ts";

export const PEERS: Readonly<Record<PeerName, Peer>> = {
  moto,
  "ceph-rgw": cephRgw,
  localstack,
  versitygw,
  minio,
  simulator,
};

export const CLIENTS: Readonly<Record<ClientName, Client>> = {
  boto3,
  "aws-cli-1": awsCli1,
  "aws-cli-2": awsCli2,
  s3cmd,
  rclone,
  "sdk-go": sdkGo,
  "sdk-java": sdkJava,
};

export const S3EC_CLIENTS: Readonly<Record<S3ecClientName, S3ecClient>> = {
  "s3ec-python": s3ecPython,
  "s3ec-java": s3ecJava,
  "s3ec-go": s3ecGo,
};
