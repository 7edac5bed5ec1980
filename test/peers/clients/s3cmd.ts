import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { installPython } from "../python.ts";
import type { Client, Order, OrderedObject } from "./client.ts";
import { encryptionHeaders, environmentOf, SSE } from "./order.ts";
import { work } from "./work.ts";

const VERSION = "2.4.0";

/** s3cmd: a command line of its own make, with its own signatures. */
export const s3cmd: Client = {
  name: "s3cmd",
  version: VERSION,
  async install() {
    const bin = await installPython({ name: `s3cmd-${VERSION}`, packages: [`s3cmd==${VERSION}`] });
    return async (order) => {
      const configuration = join(order.folder, "s3cfg");
      writeFileSync(configuration, configurationOf(order));
      let output = "";
      for (const args of order.objects.flatMap((object) => commands(order, object))) {
        const all = [join(bin, "s3cmd"), "--config", configuration, ...args];
        output += await work(order, join(bin, "python"), all, environmentOf(order));
      }
      return output;
    };
  },
};

function configurationOf({ endpoint, region, accessKeyId, secretAccessKey }: Order): string {
  const { host } = new URL(endpoint);
  const settings = {
    access_key: accessKeyId,
    secret_key: secretAccessKey,
    bucket_location: region,
    // The same for both: buckets go into the path.
    host_base: host,
    host_bucket: host,
    use_https: false,
    signature_v2: false,
    max_retries: 1,
    progress_meter: false,
    multipart_chunk_size_mb: 5,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${spelled(value)}`);
  return `${["[default]", ...lines].join("\n")}\n`;
}

const spelled = (value: string | number | boolean): string =>
  typeof value === "boolean" ? (value ? "True" : "False") : `${value}`;

function commands(order: Order, { key, from, to }: OrderedObject): readonly (readonly string[])[] {
  const at = (name: string): string => `s3://${order.bucket}/${name}`;
  const get = ["get", "--force", at(key), to];
  switch (order.road) {
    case "put":
      return [["put", "--disable-multipart", ...encryption(order), from, at(key)], get];
    case "multipart":
      return [["put", ...encryption(order), from, at(key)], get];
    case "copy":
      return [
        ["put", from, at(`${key}-source`)],
        ["cp", ...encryption(order), at(`${key}-source`), at(key)],
        get,
      ];
    case "presigned":
    case "presigned-read":
    case "update":
      throw new Error(`s3cmd cannot: ${order.road}`);
  }
}

/** Algorithm and key have options; the flag has none, but any header may be added. */
function encryption(order: Order): readonly string[] {
  const headers = encryptionHeaders(order);
  const flag = `${SSE}-bucket-key-enabled`;
  return [
    ...(order.kmsKey === undefined
      ? []
      : ["--server-side-encryption", `--server-side-encryption-kms-id=${order.kmsKey}`]),
    ...(flag in headers ? [`--add-header=${flag}:${headers[flag]}`] : []),
  ];
}
