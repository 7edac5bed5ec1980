/** Debian's Prometheus and Alertmanager, unpacked into the cache: nothing is installed on the machine or started by it. */
import { join } from "node:path";
import { installDebian } from "../peers/debian.ts";
import { run } from "../peers/process.ts";
import { logFile } from "./files.ts";

export interface Tools {
  readonly prometheus: string;
  readonly promtool: string;
  readonly alertmanager: string;
  readonly amtool: string;
  /** `Prometheus 2.42.0..., Alertmanager 0.25.0...`. */
  readonly versions: string;
}

/** @throws `Error` where there is no apt-get, or where it offers other lines. */
export async function installedTools(): Promise<Tools> {
  const prometheus = await installDebian({
    name: "prometheus-2.42",
    packages: ["prometheus"],
    line: "2.42",
    shelf: "stack",
  });
  const alertmanager = await installDebian({
    name: "alertmanager-0.25",
    packages: ["prometheus-alertmanager"],
    line: "0.25",
    shelf: "stack",
  });
  return {
    prometheus: join(prometheus.root, "usr/bin/prometheus"),
    promtool: join(prometheus.root, "usr/bin/promtool"),
    alertmanager: join(alertmanager.root, "usr/bin/prometheus-alertmanager"),
    amtool: join(alertmanager.root, "usr/bin/amtool"),
    versions: `Prometheus ${prometheus.version}, Alertmanager ${alertmanager.version}`,
  };
}

/** Runs promtool or amtool to its end and gives what it said. @throws `Error` with its output when it finds fault. */
export function runTool(program: string, args: readonly string[], failure: string): Promise<string> {
  return run(program, args, { logFile: logFile(args.slice(0, 2).join("-")), timeoutSeconds: 60, failure });
}
