import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { progress } from "./cache.ts";
import { CASE_LIST } from "./cases.ts";
import { expectedLines, idleReplacements, reasons } from "./expected.ts";
import type { Peer, RunningPeer } from "./peer.ts";
import { plainClient, Session } from "./session.ts";

declare module "vitest" {
  interface TaskMeta {
    /** Why a peer is to answer otherwise than AWS in this case. Set on each case, and on nothing else. */
    knownDifferences?: readonly string[];
  }
}

const BUCKET = "peers";
/** Set by `run.ts --smoke`. */
const SMOKE = process.env["PEERS_SMOKE"] === "1";

/** The whole suite, or its core, against one peer. */
export function describePeer(peer: Peer): void {
  describe(`on ${peer.name} ${peer.version}, the plugin`, () => {
    let running: RunningPeer | undefined;

    beforeAll(async () => {
      running = await peer.start();
      const client = plainClient(running);
      await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
      client.destroy();
    });
    afterAll(async () => {
      await running?.stop();
    });

    for (const { id, does, wears, client, run } of CASE_LIST.filter(({ smoke }) => !SMOKE || smoke)) {
      it(`${does} (${id})`, async ({ task, onTestFailed }) => {
        const differences = reasons(peer.name, id);
        task.meta.knownDifferences = differences;
        onTestFailed(() => {
          if (differences.length === 0) return;
          progress(
            `${peer.name}, ${id}, is known to differ: ${differences.join(" ")} ` +
              "Where it now answers as AWS does, take that out of differences.ts.",
          );
        });
        if (running === undefined) throw new Error(`${peer.name} does not run`);
        const place = { bucket: BUCKET, key: id };
        const session = new Session(running, place, wears(running.kmsKeys), client ?? {});
        try {
          await run(session);
          expect(session.lines()).toEqual(expectedLines(peer.name, id));
        } finally {
          session.end();
        }
      });
    }

    it("has no difference on file that no case shows", () => {
      expect(idleReplacements(peer.name)).toEqual([]);
    });
  });
}
