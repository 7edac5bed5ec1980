/** A process of its own for the memory of many objects: prints what it takes, in bytes, as JSON. */
import { argv } from "node:process";
import type * as Testing from "../../src/simulator/index.ts";
import { presignedPut, RawSocket } from "./raw-put.ts";

const [entry = "", count = "0"] = argv.slice(2);
const { startSimulator } = (await import(entry)) as typeof Testing;
const sim = await startSimulator({ buckets: ["bench"], verifySignatures: true });
const target = { ...sim.clientConfig, bucket: "bench", kmsKey: sim.createKmsKey().arn };
const sockets = await Promise.all(Array.from({ length: 4 }, () => RawSocket.open(sim.endpoint)));
let next = 0;
let highest = 0;
await Promise.all(
  sockets.map(async (socket) => {
    while (next < Number(count)) {
      await socket.send(presignedPut(target, `key-${next++}`));
      if (next % 1_000 === 0) highest = Math.max(highest, process.memoryUsage.rss());
    }
  }),
);
console.log(JSON.stringify({ rss: Math.max(highest, process.memoryUsage.rss()) }));
for (const socket of sockets) socket.end();
await sim.close();
