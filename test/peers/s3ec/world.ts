import { KMSClient } from "@aws-sdk/client-kms";
import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  type S3ClientConfig,
} from "@aws-sdk/client-s3";
import { type Envelope, envelope, type EnvelopeOptions, kmsKeyring } from "../../../src/envelope/index.ts";
import { bucketKeys } from "../../../src/index.ts";
import { plainClient } from "../session.ts";
import { bodyOf, sha256 } from "./bodies.ts";
import type { Answer, Context, GetJob, PutJob, SeededBody } from "./job.ts";
import type { Program, ProgramTarget } from "./program.ts";
import { reasonOf } from "./reason.ts";

/** What one case works with, and the lines that say what came of it. */
export class World {
  readonly bucket: string;
  readonly program: Program;
  /** Without the plugin: what the server really has. */
  readonly plain: S3Client;
  readonly kms: KMSClient;
  readonly kmsKey: string;
  readonly #target: ProgramTarget;
  readonly #prefix: string;
  readonly #lines: string[] = [];
  readonly #refusals: string[] = [];
  readonly #sealers: { readonly client: S3Client; readonly sealer: Envelope }[] = [];

  constructor(target: ProgramTarget, program: Program, prefix: string) {
    this.bucket = target.bucket;
    this.program = program;
    this.plain = plainClient(target.server);
    const { endpoint, region, credentials } = target.server;
    this.kms = new KMSClient({ endpoint, region, credentials });
    this.kmsKey = target.server.kmsKeys.rule;
    this.#target = target;
    this.#prefix = prefix;
  }

  /** A key that no other case writes to. */
  key(name: string): string {
    return `${this.#prefix}/${name}`;
  }

  /** A client that wears our envelope mode, with bucket keys of its own. */
  sealing(options: Partial<EnvelopeOptions> = {}, config: S3ClientConfig = {}): S3Client {
    const sealer = envelope({ keyring: kmsKeyring({ client: this.kms, keyId: this.kmsKey }), ...options });
    const client = plainClient(this.#target.server, config);
    client.middlewareStack.use(bucketKeys({ envelope: sealer, logger: { warn: () => {} } }));
    this.#sealers.push({ client, sealer });
    return client;
  }

  say(line: string): void {
    this.#lines.push(line);
  }

  lines(): readonly string[] {
    return this.#lines;
  }

  /** What the client said wherever it refused: for whoever wonders why. */
  refusals(): readonly string[] {
    return this.#refusals;
  }

  /** Has the client write an object of so many bytes. */
  async theyPut(name: string, bytes: number, rest: Partial<PutJob> = {}): Promise<SeededBody> {
    const body = { seed: name, bytes };
    await this.program.do({ do: "put", key: this.key(name), body, road: "put", format: "V3", ...rest });
    return body;
  }

  /** Seals an object with our client. */
  async wePut(client: S3Client, name: string, bytes: number): Promise<SeededBody> {
    const body = { seed: name, bytes };
    const Body = bodyOf(body);
    await client.send(new PutObjectCommand({ Bucket: this.bucket, Key: this.key(name), Body }));
    return body;
  }

  /** Says whether the client reads that body, and what of it. */
  async theyRead(
    what: string,
    name: string,
    body: SeededBody | Uint8Array,
    rest: Partial<GetJob> = {},
  ): Promise<void> {
    const answer = await this.program.ask({ do: "get", key: this.key(name), format: "V3", ...rest });
    if ("error" in answer) this.#refusals.push(`${what}: ${answer.error}: ${answer.message}`);
    this.say(`the client ${outcome(answer, body)} ${what}`);
  }

  /** Says whether we read that body, and what of it. */
  async weRead(what: string, client: S3Client, name: string, body: SeededBody): Promise<void> {
    try {
      const got = await client.send(new GetObjectCommand({ Bucket: this.bucket, Key: this.key(name) }));
      const bytes = (await got.Body?.transformToByteArray()) ?? new Uint8Array();
      const right = sha256(bytes) === sha256(bodyOf(body)) && got.ContentLength === body.bytes;
      this.say(`we ${right ? "read" : "read other bytes of"} ${what}`);
    } catch (error) {
      this.say(`we refuse ${what}: ${reasonOf(error)}`);
    }
  }

  /** The length that our client gives for an object. */
  async weSayLength(client: S3Client, name: string): Promise<number | undefined> {
    const { ContentLength } = await client.send(
      new HeadObjectCommand({ Bucket: this.bucket, Key: this.key(name) }),
    );
    return ContentLength;
  }

  /** An object as the server has it. */
  async stored(name: string): Promise<{ readonly body: Buffer; readonly metadata: Context }> {
    const got = await this.plain.send(new GetObjectCommand({ Bucket: this.bucket, Key: this.key(name) }));
    return {
      body: Buffer.from((await got.Body?.transformToByteArray()) ?? []),
      metadata: got.Metadata ?? {},
    };
  }

  /** Says whether the server has the object sealed: as long as it has to be, and no longer the plaintext. */
  async saySealed(what: string, name: string, body: SeededBody): Promise<void> {
    const stored = await this.stored(name);
    const plaintext = bodyOf(body);
    const inTheClear = stored.body.includes(plaintext.subarray(0, 1000));
    const right = !inTheClear && stored.body.length === plaintext.length + 16;
    this.say(`${what} is ${right ? "sealed" : "NOT SEALED"} on the server`);
  }

  async end(): Promise<void> {
    for (const { client, sealer } of this.#sealers) {
      client.destroy();
      await sealer.close();
    }
    this.plain.destroy();
    this.kms.destroy();
  }
}

function outcome(answer: Answer, body: SeededBody | Uint8Array): string {
  if ("error" in answer) return "refuses";
  return answer.ok.sha256 === sha256("seed" in body ? bodyOf(body) : body) ? "reads" : "reads other bytes of";
}
