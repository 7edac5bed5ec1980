/** A process of its own for the simulator: says where it is as a line of JSON, and ends with its input. */
import { argv } from "node:process";
import type * as Testing from "../../src/simulator/index.ts";

const [entry = "", bucket = ""] = argv.slice(2);
const { startSimulator } = (await import(entry)) as typeof Testing;
const sim = await startSimulator({ buckets: [bucket], clock: "real" });
console.log(JSON.stringify({ clientConfig: sim.clientConfig, kmsKey: sim.createKmsKey().arn }));
process.stdin.resume().once("end", () => void sim.close());
