/**
 * An upload was begun sealed and then given up: idle, aborted, or its sealer closed. Where its place no longer sealed
 * by then, the sealer had forgotten it, and parts that came late went to S3 as plaintext.
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { afterEach, expect, it, vi } from "vitest";
import { envelope, type Envelope } from "../../src/envelope/index.ts";
import { bucketKeys, definePolicy } from "../../src/index.ts";
import { fakeKeyring } from "../envelope/world.ts";
import { type SentRequest, stubClient } from "../support/stub-client.ts";

const at = { Bucket: "alias", Key: "k" };
const upload = { ...at, UploadId: "u" };

const PLACES = ["seal", "unseal", "leave"] as const;
type Place = (typeof PLACES)[number];

const policy = definePolicy({
  version: 1,
  rules: [
    { id: "sealed", reason: "r", envelope: "seal", match: { buckets: ["seal"] } },
    { id: "opened", reason: "r", envelope: "unseal", match: { buckets: ["unseal"] } },
  ],
});

interface Scene {
  readonly s3: S3Client;
  readonly sealer: Envelope;
  readonly sent: readonly SentRequest[];
  /** What holds for the upload's place from now on. */
  readonly turnInto: (place: Place) => void;
}

afterEach(() => void vi.useRealTimers());

/** A client with an upload under way that was begun sealed. */
async function begun(): Promise<Scene> {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  let place: Place = "seal";
  const sealer = envelope({ keyring: fakeKeyring(), partBytes: 16, uploadIdleSeconds: 60 });
  const { client: s3, sent } = stubClient(() => ({
    headers: { etag: '"e"' },
    body: "<R><UploadId>u</UploadId></R>",
  }));
  // Whichever way a place comes to be another one: here, the alias is that of another bucket.
  const resolveBucket = (): string => place;
  s3.middlewareStack.use(bucketKeys({ policy, envelope: sealer, resolveBucket, logger: { warn() {} } }));
  await s3.send(new CreateMultipartUploadCommand(at));
  await s3.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: "16 bytes of text" }));
  return { s3, sealer, sent, turnInto: (next) => void (place = next) };
}

const ENDS: readonly [what: string, end: (scene: Scene) => Promise<unknown>, problem: string][] = [
  ["was idle", () => vi.advanceTimersByTimeAsync(60_000), "upload-state"],
  ["was aborted", ({ s3 }) => s3.send(new AbortMultipartUploadCommand(upload)), "upload-state"],
  ["lost its sealer", ({ sealer }) => sealer.close(), "closed"],
];

it.each(ENDS.flatMap(([what, end, problem]) => PLACES.map((place) => [what, place, end, problem] as const)))(
  "an upload that %s lets no plaintext through where the policy says %s",
  async (_, place, end, problem) => {
    const scene = await begun();
    const { s3, sent } = scene;
    await end(scene);
    const before = sent.length;
    scene.turnInto(place);
    for (const PartNumber of [1, 2]) {
      const part = s3.send(new UploadPartCommand({ ...upload, PartNumber, Body: "dear Ada" }));
      await expect(part).rejects.toMatchObject({ problem });
      const copy = s3.send(new UploadPartCopyCommand({ ...upload, PartNumber, CopySource: "b/plain" }));
      await expect(copy).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_BUCKET_KEY_/) });
    }
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: '"e"' }] };
    const complete = s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }));
    await expect(complete).rejects.toMatchObject({ problem });
    expect(sent).toHaveLength(before);
    // S3 may still have it.
    await s3.send(new AbortMultipartUploadCommand(upload));
    expect(sent.slice(before).map(({ method }) => method)).toEqual(["DELETE"]);
  },
);

it.each(["unseal", "leave"] as const)("other uploads are plain where the policy says %s", async (place) => {
  const { s3, sent, turnInto } = await begun();
  turnInto(place);
  await s3.send(new UploadPartCommand({ ...upload, UploadId: "plain", PartNumber: 1, Body: "dear Ada" }));
  expect(String(sent.at(-1)?.body)).toContain("dear Ada");
});
