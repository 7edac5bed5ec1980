import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { progress } from "../cache.ts";
import { expectedFrom, idleFrom, reasonsFrom } from "../expected.ts";
import { moto } from "../moto.ts";
import type { RunningPeer } from "../peer.ts";
import { plainClient } from "../session.ts";
import { simulator } from "../simulator.ts";
import { S3EC_CASE_LIST, S3EC_CASES, type S3ecCaseId } from "./cases.ts";
import type { S3ecClient } from "./client.ts";
import { S3EC_LIMITS } from "./limits.ts";
import type { Program } from "./program.ts";
import { World } from "./world.ts";

const BUCKET = "s3ec";
/** Set by `run.ts --smoke`. */
const SMOKE = process.env["PEERS_SMOKE"] === "1";
/** moto keeps what it is sent, which is all that counts here; nobody here wrote it. */
const SERVERS = SMOKE ? [simulator] : [simulator, moto];
/** Bodies of 65 MiB, on a busy machine. */
const CASE_MILLISECONDS = 300_000;

/** All cases, or their core, with one client. */
export function describeS3ec(client: S3ecClient): void {
  const limits = S3EC_LIMITS[client.name];
  describe.each(SERVERS)(`${client.name} ${client.version}, at $name,`, (peer) => {
    let server: RunningPeer | undefined;
    let program: Program | undefined;

    beforeAll(async () => {
      server = await peer.start();
      const s3 = plainClient(server);
      await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
      s3.destroy();
      program = await client.start({ server, bucket: BUCKET });
    });
    afterAll(async () => {
      await program?.end();
      await server?.stop();
    });

    for (const { id, does, run } of S3EC_CASE_LIST.filter(({ smoke }) => !SMOKE || smoke)) {
      if (limits.cannot[id] !== undefined) continue;
      it(`${does} (${id})`, { timeout: CASE_MILLISECONDS }, async ({ task, onTestFailed }) => {
        const { comesOf } = S3EC_CASES[id];
        const differences = reasonsFrom(limits, comesOf, id);
        task.meta.knownDifferences = differences;
        onTestFailed(() => {
          if (differences.length > 0)
            progress(`${client.name}, ${id}, is known to differ: ${differences.join(" ")}`);
        });
        if (server === undefined || program === undefined) throw new Error(`${client.name} does not run`);
        const world = new World({ server, bucket: BUCKET }, program, id);
        onTestFailed(() => {
          for (const refusal of world.refusals()) progress(`${client.name}, ${id}, refused ${refusal}`);
        });
        try {
          await run(world);
          expect(world.lines()).toEqual(expectedFrom(limits, comesOf, id));
        } finally {
          await world.end();
        }
      });
    }

    it("tells how long its calls take, and those of its SDK without it", async ({ task }) => {
      task.meta.knownDifferences = [];
      for (const by of ["official", "plain"] as const) {
        for (const what of ["put", "get"] as const) {
          const body = { seed: "time", bytes: 1000 };
          const job = { do: "time", what, client: by, key: `time/${by}`, body, calls: 3 } as const;
          const { seconds = [] } = (await program?.do(job)) ?? {};
          expect(seconds).toHaveLength(3);
          expect(Math.min(...seconds)).toBeGreaterThan(0);
        }
      }
    });
  });

  it(`${client.name} has no limit on file that no case shows`, () => {
    const table = Object.fromEntries(
      Object.entries(S3EC_CASES)
        .filter(([id]) => limits.cannot[id as S3ecCaseId] === undefined)
        .map(([id, { comesOf }]) => [id, comesOf]),
    );
    expect(idleFrom(limits, table)).toEqual([]);
  });
}
