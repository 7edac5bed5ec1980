/** What the official clients write, opened by us. */
import { EncryptCommand } from "@aws-sdk/client-kms";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { EnvelopeOptions } from "../../../../src/envelope/index.ts";
import { legacyObjects, recipeNames, type Wrap } from "../legacy-vectors.ts";
import type { World } from "../world.ts";
import type { S3ecCase } from "./case.ts";
import { SIZES } from "./reads.ts";

const MIB = 1024 * 1024;
const CONTEXT = { tenant: "blue 7", purpose: "interoperability" };
/** Reads V2 too. */
const WITHOUT_COMMITMENT = { commitmentPolicy: "REQUIRE_ENCRYPT_ALLOW_DECRYPT" } as const;

/** Reads envelopes out of instruction files too, through a client that has no plugin. */
const withFiles = (world: World): Pick<EnvelopeOptions, "instructionFiles" | "getObject"> => ({
  instructionFiles: {},
  getObject: (input) => world.plain.send(new GetObjectCommand(input)),
});

/** Old forms that are read live: not those whose key no KMS ever wrapped, nor what only a response can hold. */
export const OLD_FORMS: readonly string[] = recipeNames().filter(
  (name) => !/raw key|UTF-8 in the header/.test(name),
);

export const OPENS = {
  "opens-sizes": {
    does: "writes V3 that we open, and whose length we give, from nothing to 64 KiB and a byte",
    smoke: true,
    comesOf: SIZES.flatMap((bytes) => [`we read ${bytes} bytes`, `we say ${bytes} bytes`]),
    async run(world) {
      const s3 = world.sealing();
      for (const bytes of SIZES) {
        const body = await world.theyPut(`${bytes}`, bytes);
        await world.weRead(`${bytes} bytes`, s3, `${bytes}`, body);
        world.say(`we say ${await world.weSayLength(s3, `${bytes}`)} bytes`);
      }
    },
  },
  "opens-v2": {
    does: "writes V2 that we open when it is allowed, and not before",
    smoke: true,
    comesOf: ["we refuse it: commitment-policy", "we read it", "we say 1000 bytes"],
    async run(world) {
      const body = await world.theyPut("one", 1000, { format: "V2" });
      await world.weRead("it", world.sealing(), "one", body);
      const s3 = world.sealing(WITHOUT_COMMITMENT);
      await world.weRead("it", s3, "one", body);
      world.say(`we say ${await world.weSayLength(s3, "one")} bytes`);
    },
  },
  "opens-context": {
    does: "writes under an encryption context what we open with the same, and with no other",
    smoke: true,
    comesOf: [
      "we read it",
      "we refuse it without the context: EnvelopeIntegrityError",
      "we refuse it with another: EnvelopeIntegrityError",
      "we refuse it with a part of it: EnvelopeIntegrityError",
      "we refuse it with more: EnvelopeIntegrityError",
    ],
    async run(world) {
      const body = await world.theyPut("one", 100, { context: CONTEXT });
      const contexts = {
        it: CONTEXT,
        "it without the context": {},
        "it with another": { ...CONTEXT, tenant: "red" },
        "it with a part of it": { tenant: CONTEXT.tenant },
        "it with more": { ...CONTEXT, more: "" },
      };
      for (const [what, encryptionContext] of Object.entries(contexts)) {
        await world.weRead(what, world.sealing({ encryptionContext }), "one", body);
      }
    },
  },
  "opens-multipart": {
    does: "uploads in parts what we open",
    smoke: true,
    comesOf: ["we read it", "we say 11534341 bytes"],
    async run(world) {
      const body = await world.theyPut("one", 11 * MIB + 5, { road: "multipart" });
      const s3 = world.sealing();
      await world.weRead("it", s3, "one", body);
      world.say(`we say ${await world.weSayLength(s3, "one")} bytes`);
    },
  },
  "opens-instruction": {
    does: "writes instruction files that we read when it is allowed, and not before",
    comesOf: ["V3: instruction-file", "V2: NotSealedError"].flatMap((one) => {
      const [format, reason] = one.split(": ");
      return [`we refuse ${format}: ${reason}`, `we read ${format}`];
    }),
    async run(world) {
      for (const format of ["V3", "V2"] as const) {
        const rest = { format, road: "instruction", context: CONTEXT } as const;
        const body = await world.theyPut(format, 1000, rest);
        const options = { ...WITHOUT_COMMITMENT, encryptionContext: CONTEXT };
        await world.weRead(format, world.sealing(options), format, body);
        await world.weRead(format, world.sealing({ ...options, ...withFiles(world) }), format, body);
      }
    },
  },
  "opens-old": {
    does: "opens old forms, made by us without any client, as we do",
    comesOf: OLD_FORMS.flatMap((name) => [`we read ${name}`, `the client reads ${name}`]),
    async run(world) {
      const { objects } = await legacyObjects(wrapAt(world), world.kmsKey);
      for (const { name, size, userContext, ...object } of objects.filter((one) =>
        OLD_FORMS.includes(one.name),
      )) {
        await putRaw(world, name, Buffer.from(object.body, "base64"), object.metadata);
        if (object.instructionFile) {
          const { body, metadata } = object.instructionFile;
          await putRaw(world, `${name}.instruction`, body, metadata);
        }
        const s3 = world.sealing({
          ...WITHOUT_COMMITMENT,
          ...withFiles(world),
          legacyWrappingAlgorithms: true,
          legacyUnauthenticatedModes: true,
          encryptionContext: userContext,
        });
        const body = { seed: name, bytes: size };
        await world.weRead(name, s3, name, body);
        const context = Object.keys(userContext).length === 0 ? {} : { context: userContext };
        await world.theyRead(name, name, body, { format: "V2", legacy: true, ...context });
      }
    },
  },
} as const satisfies Readonly<Record<string, S3ecCase>>;

const wrapAt =
  ({ kms, kmsKey }: World): Wrap =>
  async (dataKey, context) => {
    const ask = { KeyId: kmsKey, Plaintext: dataKey, EncryptionContext: { ...context } };
    const { CiphertextBlob } = await kms.send(new EncryptCommand(ask));
    return Buffer.from(CiphertextBlob ?? []);
  };

async function putRaw(
  world: World,
  name: string,
  body: Buffer | string,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const at = { Bucket: world.bucket, Key: world.key(name) };
  await world.plain.send(new PutObjectCommand({ ...at, Body: body, Metadata: { ...metadata } }));
}
