/** The AWS CLI of both lines: `aws s3api`, which can say everything, and `aws s3 cp`, which makes parts by itself. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installDebian } from "../debian.ts";
import { installPython } from "../python.ts";
import type { Environment } from "../process.ts";
import type { Client, ClientName, Order, OrderedObject } from "./client.ts";
import { environmentOf } from "./order.ts";
import { work } from "./work.ts";

/** How it is started. */
interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Environment;
}

const VERSION_1 = "1.46.3";
const LINE_2 = "2.9";
const PART_BYTES = 5 * 1024 * 1024;
const SAID = "[ServerSideEncryption,SSEKMSKeyId,BucketKeyEnabled]";

export const awsCli1: Client = client("aws-cli-1", VERSION_1, async () => {
  const bin = await installPython({ name: `awscli-${VERSION_1}`, packages: [`awscli==${VERSION_1}`] });
  return { command: join(bin, "python"), args: [join(bin, "aws")], env: {} };
});

export const awsCli2: Client = client("aws-cli-2", LINE_2, async () => {
  const { root, libraries } = await installDebian({
    name: `awscli-${LINE_2}`,
    packages: ["awscli", "python3"],
    line: LINE_2,
  });
  return {
    command: "/usr/bin/python3",
    args: [join(root, "usr", "bin", "aws")],
    env: {
      LD_LIBRARY_PATH: libraries ?? "",
      PYTHONPATH: join(root, "usr", "lib", "python3", "dist-packages"),
    },
  };
});

function client(name: ClientName, version: string, install: () => Promise<Program>): Client {
  return {
    name,
    version,
    async install() {
      const program = await install();
      return async (order) => {
        const cli = new Cli(program, order);
        let output = "";
        for (const object of order.objects) output += await cli.doOne(object);
        return output;
      };
    },
  };
}

class Cli {
  readonly #program: Program;
  readonly #order: Order;

  constructor(program: Program, order: Order) {
    this.#program = program;
    this.#order = order;
  }

  async doOne(object: OrderedObject): Promise<string> {
    const { road } = this.#order;
    if (road === "presigned") throw new Error("The AWS CLI cannot sign a URL to write with");
    const written = await this.#write(object);
    if (road !== "presigned-read")
      return written + (await this.#said("get", "get-object", object, [object.to]));
    const url = await this.#aws(["s3", "presign", `s3://${this.#order.bucket}/${object.key}`]);
    return `${written}signed get ${url}`;
  }

  #write(object: OrderedObject): Promise<string> {
    const { road, flag } = this.#order;
    const body = ["--body", object.from];
    switch (road) {
      case "multipart":
        return flag ? this.#parts(object) : this.#cp(object);
      case "copy":
        return this.#copy(object);
      case "update":
        return this.#update(object);
      case "put":
      case "presigned":
      case "presigned-read":
        return this.#said("put", "put-object", object, [...body, ...this.#encryption()]);
    }
  }

  async #cp({ from, key }: OrderedObject): Promise<string> {
    const { bucket, kmsKey } = this.#order;
    const encryption = kmsKey === undefined ? [] : ["--sse", "aws:kms", "--sse-kms-key-id", kmsKey];
    await this.#aws(["s3", "cp", "--only-show-errors", from, `s3://${bucket}/${key}`, ...encryption]);
    return "";
  }

  async #parts(object: OrderedObject): Promise<string> {
    const id = await this.#s3api("create-multipart-upload", object, this.#encryption(), "UploadId");
    const upload = ["--upload-id", id.trim()];
    const bytes = readFileSync(object.from);
    const Parts: { PartNumber: number; ETag: string }[] = [];
    for (let start = 0; start < bytes.length; start += PART_BYTES) {
      const PartNumber = Parts.length + 1;
      const part = join(this.#order.folder, "part");
      writeFileSync(part, bytes.subarray(start, start + PART_BYTES));
      const args = [...upload, "--part-number", `${PartNumber}`, "--body", part];
      Parts.push({ PartNumber, ETag: (await this.#s3api("upload-part", object, args, "ETag")).trim() });
    }
    const parts = ["--multipart-upload", JSON.stringify({ Parts })];
    return this.#said("put", "complete-multipart-upload", object, [...upload, ...parts]);
  }

  async #copy(object: OrderedObject): Promise<string> {
    const source = { ...object, key: `${object.key}-source` };
    await this.#s3api("put-object", source, ["--body", object.from], SAID);
    // As it is: the CLI encodes it by itself.
    const from = ["--copy-source", `${this.#order.bucket}/${source.key}`];
    return this.#said("put", "copy-object", object, [...from, ...this.#encryption()]);
  }

  async #update(object: OrderedObject): Promise<string> {
    const plain = this.#encryption().filter((one) => one !== "--bucket-key-enabled");
    const said = await this.#said("put", "put-object", object, ["--body", object.from, ...plain]);
    const SSEKMS = { KMSKeyArn: this.#order.kmsKey, BucketKeyEnabled: this.#order.flag === true };
    const encryption = ["--object-encryption", JSON.stringify({ SSEKMS })];
    await this.#s3api("update-object-encryption", object, encryption, "@");
    return said;
  }

  /** A line of what the answer says of encryption; text output spells them `aws:kms ARN True`, or `None`. */
  async #said(
    word: "put" | "get",
    command: string,
    object: OrderedObject,
    args: readonly string[],
  ): Promise<string> {
    const output = await this.#s3api(command, object, args, SAID);
    const words = output.trim().split("\t");
    return `${[word, "said", ...words.filter((one) => one !== "None")].join(" ").replace("True", "true")}\n`;
  }

  #s3api(command: string, { key }: OrderedObject, args: readonly string[], query: string): Promise<string> {
    const place = ["--bucket", this.#order.bucket, "--key", key];
    return this.#aws(["s3api", command, ...place, ...args, "--query", query, "--output", "text"]);
  }

  #encryption(): readonly string[] {
    const { kmsKey, flag } = this.#order;
    return [
      ...(kmsKey === undefined ? [] : ["--server-side-encryption", "aws:kms", "--ssekms-key-id", kmsKey]),
      ...(flag ? ["--bucket-key-enabled"] : []),
    ];
  }

  #aws(args: readonly string[]): Promise<string> {
    const { command, args: first, env } = this.#program;
    // Line 2.9 does not read the endpoint from the environment yet.
    const all = [...first, "--endpoint-url", this.#order.endpoint, ...args];
    return work(this.#order, command, all, { ...environmentOf(this.#order), ...env });
  }
}
