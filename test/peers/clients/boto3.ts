import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installPython } from "../python.ts";
import type { Client } from "./client.ts";
import { environmentOf, orderArguments } from "./order.ts";
import { work } from "./work.ts";

const VERSION = "1.44.5";
const PROGRAM = fileURLToPath(new URL("./python/boto3_client.py", import.meta.url));

/** The AWS SDK for Python. */
export const boto3: Client = {
  name: "boto3",
  version: VERSION,
  async install() {
    const bin = await installPython({
      name: `boto3-${VERSION}`,
      packages: [`boto3==${VERSION}`, `botocore>=${VERSION},<1.45`],
    });
    return (order) =>
      work(order, join(bin, "python"), [PROGRAM, ...orderArguments(order)], environmentOf(order));
  },
};
