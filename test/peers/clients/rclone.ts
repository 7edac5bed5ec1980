import { join } from "node:path";
import { installDebian } from "../debian.ts";
import type { Client, Order, OrderedObject } from "./client.ts";
import { encryptionHeaders, environmentOf, SSE } from "./order.ts";
import { work } from "./work.ts";

const LINE = "1.60";
const FLAG = `${SSE}-bucket-key-enabled`;

/** rclone: names algorithm and key by options of a remote; for the flag there is none. */
export const rclone: Client = {
  name: "rclone",
  version: LINE,
  async install() {
    const { root } = await installDebian({ name: `rclone-${LINE}`, packages: ["rclone"], line: LINE });
    return async (order) => {
      let output = "";
      for (const args of order.objects.flatMap((object) => commands(order, object))) {
        const said = await work(order, join(root, "usr", "bin", "rclone"), args, environment(order));
        // The last line of `link`; before it, notices.
        output += said.replace(/^http/gm, "signed get http");
      }
      return output;
    };
  },
};

function environment(order: Order) {
  const remote = {
    TYPE: "s3",
    PROVIDER: "Other",
    ENDPOINT: order.endpoint,
    REGION: order.region,
    ACCESS_KEY_ID: order.accessKeyId,
    SECRET_ACCESS_KEY: order.secretAccessKey,
    FORCE_PATH_STYLE: "true",
    NO_CHECK_BUCKET: "true",
    CHUNK_SIZE: "5Mi",
    UPLOAD_CUTOFF: order.road === "multipart" ? "5Mi" : "200Mi",
    ...(order.kmsKey !== undefined && { SERVER_SIDE_ENCRYPTION: "aws:kms", SSE_KMS_KEY_ID: order.kmsKey }),
  };
  const variables = Object.entries(remote).map(([name, value]) => [`RCLONE_CONFIG_SIM_${name}`, value]);
  return {
    ...environmentOf(order),
    ...Object.fromEntries(variables),
    RCLONE_CONFIG: join(order.folder, "no-rclone.conf"),
    RCLONE_RETRIES: "1",
    RCLONE_LOW_LEVEL_RETRIES: "1",
  };
}

function commands(order: Order, { key, from, to }: OrderedObject): readonly (readonly string[])[] {
  const at = `sim:${order.bucket}/${key}`;
  const put = ["copyto", ...flag(order), from, at];
  switch (order.road) {
    case "put":
    case "multipart":
      return [put, ["copyto", at, to]];
    case "presigned-read":
      return [put, ["link", "--expire", "5m", at]];
    case "presigned":
    case "copy":
    case "update":
      throw new Error(`rclone cannot: ${order.road}`);
  }
}

/** The nearest that rclone has. */
function flag(order: Order): readonly string[] {
  const headers = encryptionHeaders(order);
  return FLAG in headers ? ["--header-upload", `${FLAG}: ${headers[FLAG]}`] : [];
}
