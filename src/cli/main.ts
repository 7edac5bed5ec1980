#!/usr/bin/env node
import { readFile, writeFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { wantsColour } from "./io.ts";
import { run } from "./run.ts";

// A reader that has seen enough, such as `head`, is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

process.exitCode = await run(process.argv.slice(2), {
  out: (line) => void process.stdout.write(line),
  err: (line) => void process.stderr.write(line),
  readFile: (path) => readFile(path, "utf8"),
  readInput: () => text(process.stdin),
  writeFile: (path, page, overwrite) => writeFile(path, page, { flag: overwrite ? "w" : "wx" }),
  // Once: a second Ctrl-C ends the process at once, as without us.
  untilStopped: () =>
    new Promise((resolve) => {
      for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => resolve());
    }),
  colour: wantsColour(process.env, process.stdout.isTTY),
  now: new Date(),
});
