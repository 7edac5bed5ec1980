/** What the official clients get wrong, and what is right here. */
import { Readable } from "node:stream";
import { GetObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { bodyOf, sha256 } from "../bodies.ts";
import { reasonOf } from "../reason.ts";
import type { World } from "../world.ts";
import type { S3ecCase } from "./case.ts";

const MIB = 1024 * 1024;
const BYTES = 1000;
/** What is asked of an object of 1,000 bytes, and what of it comes. */
const RANGES: Readonly<Record<string, readonly [first: number, last: number]>> = {
  "bytes=0-0": [0, 0],
  "bytes=10-25": [10, 25],
  "bytes=16-31": [16, 31],
  "bytes=990-": [990, 999],
  "bytes=990-1015": [990, 999],
  "bytes=-5": [995, 999],
  "bytes=-2000": [0, 999],
};

/** What is said of a range where all is right. */
const given = (who: string, range: string, [first, last]: readonly [number, number]): string =>
  `${who} give ${range} as bytes ${first}-${last}/${BYTES}, ${last - first + 1} bytes, right`;

/** What is said of the client's answers to the ranges, by range. */
export const THEIR_RANGES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(RANGES).map(([range, of]) => [range, given("they", range, of)]),
);

export const DETAILS = {
  lengths: {
    does: "gives the length of what was sealed, not of what is stored",
    smoke: true,
    comesOf: ["we say 1000 bytes", "we get 1000 bytes", "they say 1000 bytes", "they get 1000 bytes"],
    async run(world) {
      const s3 = world.sealing();
      await world.wePut(s3, "one", BYTES);
      const at = { Bucket: world.bucket, Key: world.key("one") };
      const got = await s3.send(new GetObjectCommand(at));
      await got.Body?.transformToByteArray();
      world.say(`we say ${await world.weSayLength(s3, "one")} bytes`);
      world.say(`we get ${got.ContentLength} bytes`);
      const said = await world.program.do({ do: "head", key: at.Key });
      world.say(`they say ${said.contentLength} bytes`);
      const answer = await world.program.do({ do: "get", key: at.Key, format: "V3" });
      world.say(`they get ${answer.contentLength} bytes`);
    },
  },
  ranges: {
    does: "gives ranges of an object, its end included, and says so",
    smoke: true,
    comesOf: [
      ...Object.entries(RANGES).flatMap(([range, of]) => [given("we", range, of), given("they", range, of)]),
      "we refuse what begins in the tag: InvalidRange",
    ],
    async run(world) {
      const s3 = world.sealing({ ranges: "verified" });
      const body = await world.theyPut("one", BYTES);
      for (const range of Object.keys(RANGES)) {
        world.say(await weGive(world, s3, "one", range));
        world.say(await theyGive(world, "one", range, bodyOf(body)));
      }
      const tag = await weGive(world, s3, "one", "bytes=1003-");
      world.say(tag.replace("give bytes=1003-:", "refuse what begins in the tag:"));
    },
  },
  large: {
    does: "opens 64 MiB of its own with default settings",
    comesOf: ["we read 64 MiB", "the client reads 64 MiB"],
    async run(world) {
      const body = await world.theyPut("one", 64 * MIB);
      await world.weRead("64 MiB", world.sealing(), "one", body);
      await world.theyRead("64 MiB", "one", body);
    },
  },
  larger: {
    does: "writes 65 MiB that we read in two passes, and whose end we give",
    comesOf: [
      "we refuse it with default settings: buffer-limit",
      "we read it in two passes",
      "we give bytes=-3 as bytes 68157437-68157439/68157440, 3 bytes, right",
    ],
    async run(world) {
      const body = await world.theyPut("one", 65 * MIB);
      await world.weRead("it with default settings", world.sealing(), "one", body);
      const s3 = world.sealing({ release: "twoPass", ranges: "verified" });
      await world.weRead("it in two passes", s3, "one", body);
      world.say(await weGive(world, s3, "one", "bytes=-3"));
    },
  },
  stream: {
    does: "seals a stream that can't be read twice",
    comesOf: [
      "ours is sealed on the server",
      "the client reads ours",
      "theirs is sealed on the server",
      "we read theirs",
    ],
    async run(world) {
      const s3 = world.sealing();
      const body = { seed: "ours", bytes: 70_000 };
      const Body = Readable.from([bodyOf(body)], { objectMode: false });
      const at = { Bucket: world.bucket, Key: world.key("ours") };
      await s3.send(new PutObjectCommand({ ...at, Body, ContentLength: body.bytes }));
      await world.saySealed("ours", "ours", body);
      await world.theyRead("ours", "ours", body);
      const theirs = { seed: "theirs", bytes: 70_000 };
      const key = world.key("theirs");
      const answer = await world.program.ask({ do: "put", key, body: theirs, road: "stream", format: "V3" });
      if ("error" in answer) {
        world.say("they fail");
        return;
      }
      await world.saySealed("theirs", "theirs", theirs);
      await world.weRead("theirs", s3, "theirs", theirs);
    },
  },
  uploader: {
    does: "seals what its uploader, or that of its SDK, sends in parts",
    comesOf: ["theirs is sealed on the server", "we read theirs"],
    async run(world) {
      const theirs = await world.theyPut("theirs", 12 * MIB, { road: "uploader" });
      await world.saySealed("theirs", "theirs", theirs);
      await world.weRead("theirs", world.sealing(), "theirs", theirs);
    },
  },
} as const satisfies Readonly<Record<string, S3ecCase>>;

async function weGive(world: World, s3: S3Client, name: string, range: string): Promise<string> {
  const at = { Bucket: world.bucket, Key: world.key(name), Range: range };
  try {
    const got = await s3.send(new GetObjectCommand(at));
    const bytes = Buffer.from((await got.Body?.transformToByteArray()) ?? []);
    const [first, , total] = (/(\d+)-(\d+)\/(\d+)/.exec(got.ContentRange ?? "") ?? []).slice(1).map(Number);
    const whole = bodyOf({ seed: name, bytes: total ?? 0 });
    const right = whole.subarray(first).subarray(0, got.ContentLength).equals(bytes);
    return `we give ${range} as ${got.ContentRange}, ${got.ContentLength} bytes, ${right ? "right" : "WRONG"}`;
  } catch (error) {
    return `we give ${range}: ${reasonOf(error)}`;
  }
}

/** With the switch for old modes, without which no client gives a range. */
async function theyGive(world: World, name: string, range: string, whole: Buffer): Promise<string> {
  const key = world.key(name);
  const answer = await world.program.ask({ do: "get", key, format: "V2", legacy: true, range });
  if ("error" in answer) return "they refuse ranges";
  const { sha256: digest, bytes = 0, contentLength, contentRange } = answer.ok;
  const [first, last] = RANGES[range] ?? [0, 0];
  const right = digest === sha256(whole.subarray(first, last + 1));
  const said = `${contentRange ?? "no range"}, ${contentLength} bytes`;
  return `they give ${range} as ${said}, ${right ? "right" : `but ${bytes} came`}`;
}
