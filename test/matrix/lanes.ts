/** The lanes: every Node, both ends of the supported SDKs, the newer OpenTelemetry line, the packed package. */
import { join } from "node:path";
import { run } from "../peers/process.ts";
import { checked, together, type Lane, type Outcome } from "./lane.ts";
import { packageLanes } from "./package-lanes.ts";
import { logs, manifest, packagesIn, root, runtime, type Runtime, type Versions } from "./packages.ts";
import {
  newestVersions,
  OLDEST,
  OLDEST_KNOWN_FAILURES,
  OLDEST_LEFT_OUT,
  WITHOUT_SDK,
} from "./sdk-versions.ts";
import { type KnownFailure, runSuite, type Suite } from "./suite.ts";
import { typecheck } from "./typecheck.ts";
import { workspaceWith } from "./workspace.ts";

const OPENTELEMETRY_3: Versions = {
  "@opentelemetry/api": "1.10.0",
  "@opentelemetry/sdk-metrics": "3.1.1",
  "@opentelemetry/exporter-prometheus": "0.301.0",
  "@opentelemetry/sdk-trace": "3.1.1",
  "@opentelemetry/instrumentation-aws-sdk": "0.79.0",
  "@aws-sdk/client-s3": manifest.devDependencies["@aws-sdk/client-s3"] ?? "",
};

function nodeLane(name: Runtime, subject: string): Lane {
  return {
    name,
    subject,
    run: async () => runSuite({ lane: name, node: await runtime(name), folder: root }),
  };
}

/** The plugin end to end over HTTP: the suite that the peers run, against our own simulator. */
const END_TO_END = ["--config=vitest.peers.config.ts", "test/peers/simulator.test.ts"];

function isEndToEnd({ file }: KnownFailure): boolean {
  return file.startsWith("test/peers/");
}

/** Suite, end-to-end suite and types in a copy of the project that has these versions of the SDK. */
async function besideSdk(
  lane: string,
  node: Runtime,
  versions: Versions,
  { knownFailures = [], leftOut = {} }: Pick<Suite, "knownFailures" | "leftOut"> = {},
): Promise<Outcome> {
  const folder = await workspaceWith(`client-s3-${versions["@aws-sdk/client-s3"]}`, versions);
  const program = await runtime(node);
  return together(
    await runSuite({
      lane,
      node: program,
      folder,
      knownFailures: knownFailures.filter((one) => !isEndToEnd(one)),
      leftOut: { ...WITHOUT_SDK, ...leftOut },
    }),
    {
      ...(await runSuite({
        lane: `${lane}-end-to-end`,
        node: program,
        folder,
        knownFailures: knownFailures.filter(isEndToEnd),
        arguments: END_TO_END,
      })),
      what: "end to end over HTTP",
    },
    await typecheck(lane, program, folder),
  );
}

export const lanes: readonly Lane[] = [
  nodeLane("node20", "suite on Node 20"),
  nodeLane("node22", "suite on Node 22"),
  nodeLane("node24", "suite on Node 24"),
  {
    name: "oldest",
    subject: `suite beside client-s3 ${OLDEST["@aws-sdk/client-s3"]}, Node 20`,
    run: () =>
      besideSdk("oldest", "node20", OLDEST, {
        knownFailures: OLDEST_KNOWN_FAILURES,
        leftOut: OLDEST_LEFT_OUT,
      }),
  },
  {
    name: "newest",
    // The SDK announces that its versions of 2027 need Node 22.
    subject: "suite beside the newest client-s3, Node 22",
    run: async () => besideSdk("newest", "node22", await newestVersions()),
  },
  {
    name: "otel3",
    subject: "OpenTelemetry API 1.10 and SDK 3, Node 22",
    async run() {
      const modules = await packagesIn("otel3", OPENTELEMETRY_3);
      const node = await runtime("node22");
      return checked("line-check", () =>
        run(node, [join(root, "test/otel/line-check.mjs"), "--modules", modules], {
          logFile: join(logs, "otel3.log"),
          timeoutSeconds: 120,
          failure: "the OpenTelemetry 3 line does not hold",
        }),
      );
    },
  },
  ...packageLanes,
];
