/** Draws the dashboard in headless Chromium with Grafana's own components, in both themes. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { startChromium } from "../browser/chromium.ts";
import { packagesIn } from "../matrix/packages.ts";
import { ROOT, SHOWN } from "./files.ts";
import type { DashboardData } from "./panel-data.ts";

const PACKAGES = {
  "@grafana/ui": "13.2.2",
  "@grafana/data": "13.2.2",
  react: "19.3.1",
  "react-dom": "19.3.1",
};

/** What a panel shows in words and shapes. */
export interface Seen {
  readonly title: string;
  readonly text: string;
  /** Whether something other than the background stands on its canvas; `null` where there is none. */
  readonly isDrawn: boolean | null;
}

export interface Drawing {
  readonly theme: "light" | "dark";
  readonly panels: readonly Seen[];
  /** What the page complained of. */
  readonly errors: readonly string[];
  /** The files of screenshots: one of the whole, one for each row. */
  readonly screenshots: readonly string[];
}

export async function drawDashboard(data: DashboardData): Promise<readonly Drawing[]> {
  const page = await builtPage(data);
  mkdirSync(SHOWN, { recursive: true });
  const browser = await startChromium();
  try {
    const drawings: Drawing[] = [];
    for (const theme of ["light", "dark"] as const) {
      const context = await browser.newContext({
        colorScheme: theme,
        viewport: { width: data.width + 32, height: 1000 },
        offline: true,
      });
      const tab = await context.newPage();
      const errors: string[] = [];
      tab.on("pageerror", ({ message }) => errors.push(message));
      await tab.goto(pathToFileURL(page).href);
      await tab.waitForSelector("[data-row]", { timeout: 30_000 }).catch(() => {});
      // uPlot draws after React has.
      await tab.waitForTimeout(1500);
      const panels = await tab.evaluate<readonly Seen[]>(LOOK);
      const whole = join(SHOWN, `dashboard-${theme}.png`);
      await tab.screenshot({ path: whole, fullPage: true });
      const screenshots = [whole];
      for (const [at, row] of (await tab.locator("[data-row]").all()).entries()) {
        const path = join(SHOWN, `row-${at + 1}-${theme}.png`);
        await row.screenshot({ path });
        screenshots.push(path);
      }
      drawings.push({ theme, panels, errors, screenshots });
      await context.close();
    }
    return drawings;
  } finally {
    await browser.close();
  }
}

/** Runs in the page. */
const LOOK = `
  [...document.querySelectorAll("[data-panel]")].map((panel) => {
    const canvas = panel.querySelector(".uplot canvas");
    const pixels = canvas?.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return {
      title: panel.dataset.panel,
      text: panel.innerText,
      isDrawn: pixels === undefined ? null : pixels.some((value) => value !== 0),
    };
  })
`;

async function builtPage(data: DashboardData): Promise<string> {
  const folder = await packagesIn("panels", PACKAGES);
  const modules = join(folder, "node_modules");
  await build({
    entryPoints: [join(ROOT, "test/stack/page/panels.mjs")],
    outfile: join(folder, "panels.js"),
    nodePaths: [modules],
    bundle: true,
    format: "iife",
    platform: "browser",
    define: { "process.env.NODE_ENV": '"production"' },
    alias: { "react-custom-scrollbars-2": withoutDefault(folder, "react-custom-scrollbars-2") },
    loader: { ".ttf": "dataurl", ".woff2": "dataurl", ".svg": "dataurl" },
    logLevel: "error",
  });
  // What stands in the data ends no script.
  const json = JSON.stringify(data).replaceAll("<", String.raw`\u003c`);
  const page = join(folder, "panels.html");
  writeFileSync(
    page,
    `<!doctype html><meta charset="utf-8"><title>S3 Bucket Keys</title>
<link rel="stylesheet" href="panels.css">
<style>body { margin: 16px; font-family: Inter, "DejaVu Sans", sans-serif; }</style>
<div id="root"></div>
<script>window.dashboard = ${json}</script>
<script src="panels.js"></script>
`,
  );
  return page;
}

/** A CommonJS module that *is* what it would have had as default: so Grafana's ES modules take it, as in Node. */
function withoutDefault(folder: string, name: string): string {
  const file = join(folder, `${name}.cjs`);
  writeFileSync(file, `module.exports = require(${JSON.stringify(`./node_modules/${name}`)}).default;\n`);
  return file;
}
