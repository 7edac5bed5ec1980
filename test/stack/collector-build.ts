/**
 * An OpenTelemetry Collector with what the shipped configurations need, built from Go's modules: no registry carries
 * one. Without the awsemf exporter, which cannot be built from the public module proxy.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { installOnce } from "../peers/cache.ts";
import { run } from "../peers/process.ts";

export const COLLECTOR_VERSION = "0.155.0";

const CORE = "go.opentelemetry.io/collector";
const CONTRIB = "github.com/open-telemetry/opentelemetry-collector-contrib";

/** The builder's manifest: kinds of components, and the modules they come from. */
const COMPONENTS: Readonly<Record<string, readonly string[]>> = {
  receivers: [`${CORE}/receiver/otlpreceiver`],
  processors: [`${CORE}/processor/batchprocessor`],
  exporters: [
    `${CORE}/exporter/debugexporter`,
    `${CORE}/exporter/otlphttpexporter`,
    `${CONTRIB}/exporter/fileexporter`,
    `${CONTRIB}/exporter/prometheusexporter`,
  ],
  extensions: [`${CONTRIB}/extension/sigv4authextension`],
};

/**
 * The program; built the first time, which takes several minutes.
 *
 * @throws `Error` where there is no Go, or where its modules cannot be had.
 */
export async function builtCollector(): Promise<string> {
  const folder = await installOnce(`otelcol-${COLLECTOR_VERSION}`, build, "stack");
  return join(folder, "out", "otelcol");
}

async function build(folder: string): Promise<void> {
  writeFileSync(join(folder, "build.yaml"), manifest());
  const go = (script: string, cwd = folder): Promise<string> =>
    run("/bin/sh", ["-c", script], {
      logFile: join(folder, "install.log"),
      cwd,
      env: { GOBIN: join(folder, "bin"), GOFLAGS: undefined },
      timeoutSeconds: 1800,
      failure: `The Collector could not be built (it needs Go >= 1.25 on the PATH, and a module proxy)`,
    });
  await go(`nice go install ${CORE}/cmd/builder@v${COLLECTOR_VERSION}`);
  // The builder's last step tidies, for which it wants modules that only tests of tests need. All that matters is
  // written before, so it may fail, and without a proxy it does so at once.
  await go("GOPROXY=off bin/builder --config=build.yaml --skip-compilation || test -s out/main.go");
  await go("nice go build -mod=mod -trimpath -ldflags='-s -w' -o otelcol .", join(folder, "out"));
}

function manifest(): string {
  const kinds = Object.entries(COMPONENTS).map(
    ([kind, modules]) =>
      `${kind}:\n${modules.map((name) => `  - gomod: ${name} v${COLLECTOR_VERSION}\n`).join("")}`,
  );
  const dist = `dist:\n  name: otelcol\n  output_path: ./out\n  version: ${COLLECTOR_VERSION}\n`;
  return dist + kinds.join("");
}
