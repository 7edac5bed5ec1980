/** What pages do with a presigned form and a presigned URL, in a real browser, against the simulator. */
import { PutObjectCommand, type S3 } from "@aws-sdk/client-s3";
import { createPresignedPost, type PresignedPost } from "@aws-sdk/s3-presigned-post";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bucketKeyPostOptions, definePolicy, type Policy } from "../../src/index.ts";
import { presignedUrl } from "../../src/presigned/index.ts";
import { startSimulator, type Simulator } from "../../src/simulator/index.ts";
import { stockClient } from "../simulator/support.ts";
import { startChromium } from "./chromium.ts";

const SSE = "x-amz-server-side-encryption";
const FLAG = `${SSE}-bucket-key-enabled`;
const FILE = { name: "ünï code.txt", mimeType: "text/plain", buffer: Buffer.from("from a page") };

let browser: Browser;
let sim: Simulator;
let s3: S3;
let site: Server;
let page: Page;
let policy: Policy;
let kmsKey: string;

beforeAll(async () => {
  browser = await startChromium();
  sim = await startSimulator({ verifySignatures: true, buckets: ["uploads"] });
  s3 = stockClient(sim, { requestChecksumCalculation: "WHEN_REQUIRED" });
  kmsKey = sim.createKmsKey().arn;
  policy = definePolicy({
    version: 1,
    rules: [
      {
        id: "uploads",
        reason: "Pages write with bucket keys too.",
        match: { buckets: ["uploads"] },
        kmsKey,
        bucketKey: "on",
        mode: "enforce",
      },
    ],
  });
  // The page has another port than the simulator, hence another origin.
  site = createServer((_request, response) => {
    response.setHeader("content-type", "text/html");
    response.end('<!doctype html><meta charset="utf-8"><title>site</title>');
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
});

afterAll(async () => {
  s3?.destroy();
  await Promise.all([browser?.close(), sim?.close()]);
  site?.closeAllConnections();
  await new Promise((resolve) => site?.close(resolve));
});

beforeEach(async () => {
  page = await browser.newPage();
  await page.goto(siteUrl());
});

afterEach(async () => {
  await page.close();
});

function siteUrl(): string {
  return `http://127.0.0.1:${(site.address() as AddressInfo).port}/`;
}

function presignedForm(Key: string, Fields: Readonly<Record<string, string>> = {}): Promise<PresignedPost> {
  return createPresignedPost(s3, bucketKeyPostOptions(policy, { Bucket: "uploads", Key, Fields }));
}

/** Picks a file in a page with the form and submits it, as a user would. */
async function submitForm({ url, fields }: PresignedPost): Promise<void> {
  const inputs = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  );
  await page.setContent(
    `<form action="${escapeHtml(url)}" method="post" enctype="multipart/form-data">` +
      `${inputs.join("")}<input type="file" name="file"><button>Upload</button></form>`,
  );
  await page.setInputFiles("input[type=file]", FILE);
  await Promise.all([page.waitForNavigation(), page.click("button")]);
}

function withoutFlag(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => name !== FLAG));
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

describe("a form in a page", () => {
  it("uploads with the bucket key that the policy wants, and goes on to the page it names", async () => {
    await submitForm(await presignedForm("in/${filename}", { success_action_redirect: `${siteUrl()}done` }));
    const { origin, pathname, searchParams } = new URL(page.url());
    expect(`${origin}${pathname}`).toBe(`${siteUrl()}done`);
    expect(Object.fromEntries(searchParams)).toMatchObject({ bucket: "uploads", key: `in/${FILE.name}` });
    const read = await s3.getObject({ Bucket: "uploads", Key: `in/${FILE.name}` });
    expect(read).toMatchObject({ SSEKMSKeyId: kmsKey, BucketKeyEnabled: true });
    expect(await read.Body?.transformToString()).toBe("from a page");
  });

  it.each([
    [
      "turned off",
      (fields: Record<string, string>) => ({ ...fields, [FLAG]: "false" }),
      "Policy Condition failed",
    ],
    ["taken out", withoutFlag, "Policy Condition failed"],
    [
      "joined by another",
      (fields: Record<string, string>) => ({ acl: "public-read", ...fields }),
      "Extra input fields: acl",
    ],
  ])("is refused when its flag was %s", async (_says, change, message) => {
    const { url, fields } = await presignedForm("tampered");
    await submitForm({ url, fields: change(fields) });
    expect(await page.content()).toContain(message);
    await expect(s3.headObject({ Bucket: "uploads", Key: "tampered" })).rejects.toMatchObject({
      name: "NotFound",
    });
  });
});

async function putFromPage(url: string, headers: Readonly<Record<string, string>>): Promise<unknown> {
  return page.evaluate(
    async ({ target, given, flag }) => {
      const response = await fetch(target, { method: "PUT", body: "from a script", headers: given });
      return [response.status, response.headers.get(flag)];
    },
    { target: url, given: headers, flag: FLAG },
  );
}

describe("a script in a page", () => {
  it("posts a form to another origin and reads what S3 says of the bucket key", async () => {
    const { url, fields } = await presignedForm("scripted", { success_action_status: "201" });
    const answer = await page.evaluate(
      async ({ action, entries, flag }) => {
        const form = new FormData();
        for (const [name, value] of entries) form.append(name, value);
        form.append("file", new Blob(["from a script"]), "file.txt");
        const response = await fetch(action, { method: "POST", body: form });
        return { status: response.status, flag: response.headers.get(flag), body: await response.text() };
      },
      { action: url, entries: Object.entries(fields), flag: FLAG },
    );
    expect(answer).toMatchObject({ status: 201, flag: "true" });
    expect(answer.body).toContain("<Key>scripted</Key>");
  });

  it("puts to a presigned URL with the headers that it signs, and not without", async () => {
    const command = new PutObjectCommand({
      Bucket: "uploads",
      Key: "put",
      ServerSideEncryption: "aws:kms",
      SSEKMSKeyId: kmsKey,
      BucketKeyEnabled: true,
    });
    const { url, headers } = await presignedUrl(s3, command);
    expect(headers).toMatchObject({ [FLAG]: "true" });
    expect(await putFromPage(url, headers)).toEqual([200, "true"]);
    expect(await putFromPage(url, {})).toEqual([403, null]);
    expect(await putFromPage(url, { ...headers, [FLAG]: "false" })).toEqual([403, null]);
  });
});
