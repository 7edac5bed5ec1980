/** Puts of 1 KB as bytes on a socket, signed here: a client that costs next to nothing. */
import { createHash, createHmac } from "node:crypto";
import { connect, type Socket } from "node:net";

const BODY = "x".repeat(1_024);
const DAY_SECONDS = 86_400;

export interface Target {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly bucket: string;
  readonly kmsKey: string;
}

/** The whole request: a presigned PUT that asks for SSE-KMS with a bucket key. */
export function presignedPut(target: Target, key: string): Buffer {
  const { host } = new URL(target.endpoint);
  const signed = {
    host,
    "x-amz-server-side-encryption": "aws:kms",
    "x-amz-server-side-encryption-aws-kms-key-id": target.kmsKey,
    "x-amz-server-side-encryption-bucket-key-enabled": "true",
  };
  const path = `/${target.bucket}/${key}`;
  const lines = Object.entries(signed).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(
    `PUT ${path}?${presignedQuery(target, path, signed)} HTTP/1.1\r\n` +
      `${lines.join("")}content-length: ${BODY.length}\r\n\r\n${BODY}`,
  );
}

function presignedQuery(
  { credentials, region }: Target,
  path: string,
  signed: Readonly<Record<string, string>>,
): string {
  const timestamp = new Date().toISOString().replace(/\.\d{3}|[-:]/g, "");
  const scope = [timestamp.slice(0, 8), region, "s3", "aws4_request"];
  const names = Object.keys(signed).join(";");
  const query = Object.entries({
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": [credentials.accessKeyId, ...scope].join("/"),
    "X-Amz-Date": timestamp,
    "X-Amz-Expires": String(DAY_SECONDS),
    "X-Amz-SignedHeaders": names,
  })
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join("&");
  const headers = Object.entries(signed).map(([name, value]) => `${name}:${value}\n`);
  const canonical = ["PUT", path, query, headers.join(""), names, "UNSIGNED-PAYLOAD"].join("\n");
  const hash = createHash("sha256").update(canonical).digest("hex");
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  const signature = hmac(key, ["AWS4-HMAC-SHA256", timestamp, scope.join("/"), hash].join("\n"));
  return `${query}&X-Amz-Signature=${signature.toString("hex")}`;
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** One kept-alive connection; requests one after the other. */
export class RawSocket {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async open(endpoint: string): Promise<RawSocket> {
    const { port, hostname } = new URL(endpoint);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new RawSocket(socket);
  }

  /** @throws when the answer is not a 200. */
  send(request: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      let answer = "";
      const onData = (chunk: Buffer): void => {
        answer += chunk.toString("latin1");
        if (!answer.includes("\r\n\r\n")) return;
        this.#socket.off("data", onData);
        if (answer.startsWith("HTTP/1.1 200 ")) resolve();
        else reject(new Error(`A raw put was answered: ${answer}`));
      };
      this.#socket.on("data", onData);
      this.#socket.write(request);
    });
  }

  end(): void {
    this.#socket.destroy();
  }
}
