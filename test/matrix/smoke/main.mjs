import { argv } from "node:process";
import { smoke } from "./smoke.mjs";

console.log(JSON.stringify(await smoke(JSON.parse(argv.at(-1)))));
