/** The shipped rules and configurations, as Prometheus's and Alertmanager's own tools see them. */
import { beforeAll, describe, expect, it } from "vitest";
import { observabilityFile } from "../observability/dashboard-queries.ts";
import { say } from "./files.ts";
import { installedTools, runTool, type Tools } from "./tools.ts";

describe("the tools of Prometheus and Alertmanager", () => {
  let tools: Tools;
  beforeAll(async () => {
    tools = await installedTools();
    say(tools.versions);
  });

  it.each([
    ["promtool", "accepts the rules", ["check", "rules", observabilityFile("prometheus-rules.yaml")]],
    ["promtool", "accepts the configuration", ["check", "config", observabilityFile("prometheus.yaml")]],
    [
      "promtool",
      "passes the rules' tests",
      ["test", "rules", observabilityFile("prometheus-rules.test.yaml")],
    ],
    [
      "amtool",
      "accepts the configuration of Alertmanager",
      ["check-config", observabilityFile("alertmanager.yaml")],
    ],
  ] as const)("%s %s", async (tool, what, args) => {
    const said = await runTool(tools[tool], args, `${tool} does not say that it ${what}`);
    expect(said).toMatch(/SUCCESS/);
    expect(said).not.toMatch(/FAILED|WARN/i);
  });
});
