import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../process.ts";
import type { Order } from "./client.ts";

export const SSE = "x-amz-server-side-encryption";

/** What a write says of encryption, as headers. */
export function encryptionHeaders({
  kmsKey,
  flag,
}: Pick<Order, "kmsKey" | "flag">): Readonly<Record<string, string>> {
  return {
    ...(kmsKey !== undefined && { [SSE]: "aws:kms", [`${SSE}-aws-kms-key-id`]: kmsKey }),
    ...(flag && { [`${SSE}-bucket-key-enabled`]: "true" }),
  };
}

/** An order as arguments of our small programs: `ROAD BUCKET KMS-KEY|- FLAG|-`, then `KEY FROM TO` for each object. */
export function orderArguments(order: Order): readonly string[] {
  const { road, bucket, kmsKey = "-", flag, objects } = order;
  return [
    road,
    bucket,
    kmsKey,
    flag ? "true" : "-",
    ...objects.flatMap(({ key, from, to }) => [key, from, to]),
  ];
}

/** Where to go and as whom, for all that reads AWS's variables; of the machine's own settings none is left. */
export function environmentOf(
  order: Pick<Order, "endpoint" | "region" | "accessKeyId" | "secretAccessKey" | "folder">,
): Environment {
  const configuration = join(order.folder, "aws-config");
  writeFileSync(
    configuration,
    "[default]\ns3 =\n    addressing_style = path\n    signature_version = s3v4\n    multipart_chunksize = 5MB\n",
  );
  return {
    HOME: order.folder,
    AWS_CONFIG_FILE: configuration,
    AWS_SHARED_CREDENTIALS_FILE: join(order.folder, "no-credentials"),
    AWS_ENDPOINT_URL: order.endpoint,
    AWS_REGION: order.region,
    AWS_DEFAULT_REGION: order.region,
    AWS_ACCESS_KEY_ID: order.accessKeyId,
    AWS_SECRET_ACCESS_KEY: order.secretAccessKey,
    AWS_SESSION_TOKEN: undefined,
    AWS_PROFILE: undefined,
    AWS_CA_BUNDLE: undefined,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_MAX_ATTEMPTS: "1",
    AWS_PAGER: "",
    NO_PROXY: "127.0.0.1",
    no_proxy: "127.0.0.1",
    PYTHONIOENCODING: "utf-8",
    LC_ALL: "C.UTF-8",
  };
}
