/** The compiler's opinion of the plugin's types beside another SDK. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../peers/process.ts";
import { checked, type Outcome } from "./lane.ts";
import { logs } from "./packages.ts";

/** Compiles `test/types` in a workspace, strictly and with `exactOptionalPropertyTypes`. */
export function typecheck(lane: string, node: string, folder: string): Promise<Outcome> {
  const config = join(folder, "tsconfig.types.json");
  writeFileSync(config, JSON.stringify({ extends: "./tsconfig.test.json", include: ["test/types"] }));
  return checked("types", () =>
    run(node, [join(folder, "node_modules/typescript/lib/tsc.js"), "-p", config], {
      cwd: folder,
      logFile: join(logs, `${lane}-types.log`),
      timeoutSeconds: 120,
      failure: `the types beside this client (${lane}) do not hold`,
    }),
  );
}
