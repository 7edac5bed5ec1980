/** UpdateObjectEncryption outside AWS: five known servers take it for PutObject and overwrite the object. */
import { UpdateObjectEncryptionCommand, type S3ClientConfig } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { describe, expect, it, vi } from "vitest";
import { bucketKeys } from "../src/index.ts";
import { stubClient, type StubAnswer } from "./support/stub-client.ts";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const ELSEWHERE: S3ClientConfig = { endpoint: "http://127.0.0.1:9000", forcePathStyle: true };

function update(Bucket = "acme-lake"): UpdateObjectEncryptionCommand {
  return new UpdateObjectEncryptionCommand({
    Bucket,
    Key: "k",
    ObjectEncryption: { SSEKMS: { KMSKeyArn: KEY, BucketKeyEnabled: true } },
  });
}

function wearing(answer: StubAnswer, config: S3ClientConfig) {
  const { client } = stubClient(() => answer, { maxAttempts: 1, ...config });
  const warn = vi.fn<(line: string) => void>();
  client.middlewareStack.use(bucketKeys({ mode: "enforce", logger: { warn } }));
  return { client, said: () => warn.mock.calls.map(([line]) => line) };
}

describe("UpdateObjectEncryption", () => {
  it.each<[string, S3ClientConfig]>([
    ["to AWS", {}],
    ["to AWS in China", { region: "cn-north-1" }],
    ["to a VPC endpoint of AWS", { endpoint: "https://bucket.vpce-1.s3.eu-west-1.vpce.amazonaws.com" }],
  ])("sent %s is nothing to speak of", async (_what, config) => {
    const { client, said } = wearing({}, config);
    await client.send(update());
    expect(said()).toEqual([]);
  });

  it.each<[string, S3ClientConfig]>([
    ["another endpoint", ELSEWHERE],
    ["another endpoint, with contexts that requests share", { ...ELSEWHERE, cacheMiddleware: true }],
  ])("sent to %s is told of once, with the host", async (_what, config) => {
    const { client, said } = wearing({}, config);
    await client.send(update());
    await client.send(update("other-bucket"));
    expect(said()).toHaveLength(1);
    expect(said()[0]).toContain("was sent to 127.0.0.1, which is not AWS's");
    expect(said()[0]).toContain("take it for PutObject and overwrite the object");
  });

  it("answered with an ETag, as only a PutObject is, has overwritten the object, and that is said", async () => {
    const { client, said } = wearing({ headers: { etag: '"e"' } }, ELSEWHERE);
    await client.send(update());
    expect(said()[0]).toContain("the object is lost in all likelihood");
  });

  it("that the server doesn't know fails as without the plugin, and is told of all the same", async () => {
    const body = "<Error><Code>NotImplemented</Code><Message>m</Message></Error>";
    const { client, said } = wearing({ statusCode: 501, body }, ELSEWHERE);
    await expect(client.send(update())).rejects.toMatchObject({ name: "NotImplemented" });
    expect(said()).toHaveLength(1);
  });

  it("only presigned has reached nobody", async () => {
    const { client, said } = wearing({}, ELSEWHERE);
    await getSignedUrl(client, update());
    expect(said()).toEqual([]);
  });

  it("is told of in audit, too: the warning is about the server, not about the policy", async () => {
    const { client } = stubClient(() => ({}), ELSEWHERE);
    const warn = vi.fn<(line: string) => void>();
    client.middlewareStack.use(bucketKeys({ logger: { warn } }));
    await client.send(update());
    expect(warn.mock.calls.filter(([line]) => line.includes("127.0.0.1"))).toHaveLength(1);
  });
});
