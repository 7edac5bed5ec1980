/** The report as people meet it: in both themes, on a telephone, on paper, and through assistive technology. */
import axe from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { loadPencil } from "../../src/report/drawing.ts";
import { reportPage } from "../../src/report/page.ts";
import { readCounts } from "../../src/report/read.ts";
import { collected, day, lines, snapshot } from "../report/snapshots.ts";
import { startChromium } from "./chromium.ts";

const HOSTILE = `"><script>document.title = "run"</script><img src=x onerror='document.title = "run"'>`;

/** What axe-core reports. */
interface AxeResult {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

let browser: Browser;
let page: Page;
let pages: Readonly<Record<string, string>>;

beforeAll(async () => {
  browser = await startChromium();
  const pencil = await loadPencil();
  const made = (text: string): string =>
    reportPage(readCounts(text), pencil, { title: "Counts", now: new Date("2026-11-25T12:00:00Z") });
  pages = {
    "a day": made(`${lines(day())}{`),
    "metrics with buckets": made(collected()),
    nothing: made(lines([snapshot("2026-11-24T09:00:00Z")])),
    hostile: made(collected().replaceAll('"raw"', JSON.stringify(HOSTILE))),
  };
});

afterAll(async () => {
  await browser?.close();
});

afterEach(async () => {
  await page.context().close();
});

/** Opens a page; what it asks of the network, or says, is remembered. */
async function open(name: string, options: BrowserContextOptions = {}): Promise<string[]> {
  const context = await browser.newContext({ viewport: { width: 1000, height: 800 }, ...options });
  page = await context.newPage();
  const seen: string[] = [];
  page.on("request", (request) => seen.push(request.url()));
  page.on("console", (message) => seen.push(message.text()));
  page.on("pageerror", (error) => seen.push(error.message));
  await page.setContent(pages[name] ?? "");
  return seen;
}

/** Rules that the page breaks, with all tables unfolded. */
async function violations(): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
    const inPage = window as unknown as { axe: { run(): Promise<{ violations: AxeResult[] }> } };
    return (await inPage.axe.run()).violations;
  });
  return found.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`));
}

describe("the report in a browser", () => {
  it.each(
    (["a day", "metrics with buckets", "nothing", "hostile"] as const).flatMap((name) =>
      (["light", "dark"] as const).flatMap((colorScheme) =>
        ([1000, 340] as const).map((width) => [name, colorScheme, width] as const),
      ),
    ),
  )(
    "of %s, %s, %d wide: breaks no rule of accessibility, asks for nothing, fits",
    async (name, colorScheme, width) => {
      const seen = await open(name, { colorScheme, viewport: { width, height: 800 } });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow).toBeLessThanOrEqual(0);
      expect(await violations()).toEqual([]);
      expect(await page.title()).toBe("Counts");
      expect(seen).toEqual([]);
    },
  );

  it("would be caught: axe sees a picture without a name", async () => {
    await open("nothing");
    await page.evaluate(() =>
      document.querySelector("main")?.insertAdjacentHTML("beforeend", '<div role="img"></div>'),
    );
    expect(await violations()).toEqual([expect.stringContaining("role-img-alt")]);
  });

  it.each([
    ["light", ["rgb(255, 255, 255)", "rgb(31, 35, 40)", "rgb(31, 35, 40)", "rgb(9, 105, 218)"]],
    ["dark", ["rgb(13, 17, 23)", "rgb(230, 237, 243)", "rgb(230, 237, 243)", "rgb(88, 166, 255)"]],
  ] as const)(
    "follows the theme with page, text, letters in pictures and bars: %s",
    async (colorScheme, colours) => {
      await open("a day", { colorScheme });
      const found = await page.evaluate(() => [
        getComputedStyle(document.body).backgroundColor,
        getComputedStyle(document.body).color,
        getComputedStyle(document.querySelector("svg text") as Element).fill,
        getComputedStyle(document.querySelector("svg rect") as Element).fill,
      ]);
      expect(found).toEqual(colours);
    },
  );

  it("cuts no letter off at the edge of a picture", async () => {
    for (const width of [1000, 360]) {
      if (width === 360) await page.context().close();
      await open("a day", { viewport: { width, height: 800 } });
      const cut = await page.evaluate(() =>
        [...document.querySelectorAll("svg text")].flatMap((text) => {
          const [inner, outer] = [text, document.querySelector("main") as Element].map((one) =>
            one.getBoundingClientRect(),
          );
          if (inner === undefined || outer === undefined || inner.width === 0) return [];
          return inner.left < outer.left || inner.right > outer.right ? [text.textContent] : [];
        }),
      );
      expect(cut).toEqual([]);
      const sizes = await page.evaluate(() =>
        [...document.querySelectorAll("svg")]
          .filter((svg) => svg.getBoundingClientRect().width > 0)
          .map((svg) => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width),
      );
      // Letters of 12 px stay legible.
      expect(Math.min(...sizes)).toBeGreaterThan(0.9);
    }
  });

  it("prints its tables too, black on white, also from the dark", async () => {
    await open("a day", { colorScheme: "dark" });
    await page.emulateMedia({ media: "print" });
    const printed = await page.evaluate(() => ({
      background: getComputedStyle(document.body).backgroundColor,
      tables: document.querySelectorAll("table").length,
      shown: [...document.querySelectorAll("table")].filter((table) =>
        table.checkVisibility({ contentVisibilityAuto: true }),
      ).length,
    }));
    expect(printed).toMatchObject({ background: "rgb(255, 255, 255)", tables: printed.shown });
    expect(printed.shown).toBeGreaterThan(8);
    const pdf = await page.pdf({ format: "A4" });
    expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
    // Charts and tables of a day take a few sheets; folded tables would take fewer.
    expect(pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length).toBeGreaterThan(5);
  });
});
