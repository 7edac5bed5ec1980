/** Loads what draws: two packages that only the report needs, so nobody has to install them for the rest. */
import { trusted, visible, type Markup } from "./html.ts";

/** What is used of them: their own types need the DOM's. */
interface Drawn {
  readonly outerHTML: string;
  querySelectorAll(selector: string): Iterable<{ removeAttribute(name: string): void }>;
}
type Mark = (data: readonly unknown[], options?: object) => unknown;
interface Plot {
  plot(options: object): Drawn;
  readonly barX: Mark;
  readonly rect: Mark;
  readonly line: Mark;
  readonly dot: Mark;
  readonly text: Mark;
  readonly ruleX: Mark;
  readonly ruleY: Mark;
}

export interface Pencil {
  readonly plot: Plot;
  /** Draws, and leaves out what assistive technology must not meet: names on parts that have no role. */
  draw(options: object): Markup;
}

/** Names in variables: TypeScript would read types that don't compile without the DOM. */
const PLOT: string = "@observablehq/plot";
const DOM: string = "linkedom";

/** The packages aren't there. */
export class NothingToDrawWith extends Error {
  override readonly name = "NothingToDrawWith";
  constructor(cause: unknown) {
    super(`The report draws with ${PLOT} and ${DOM}: npm install --save-dev ${PLOT}@0.6 ${DOM}@0.18`, {
      cause,
    });
  }
}

/** @throws `NothingToDrawWith` naming what to install. */
export async function loadPencil(
  load: (name: string) => Promise<unknown> = (name) => import(name),
): Promise<Pencil> {
  const [plot, dom] = (await Promise.all([load(PLOT), load(DOM)]).catch((error: unknown) => {
    const isMissing = (error as { code?: unknown } | null)?.code === "ERR_MODULE_NOT_FOUND";
    throw isMissing ? new NothingToDrawWith(error) : error;
  })) as [Plot, { readonly parseHTML: (source: string) => { document: unknown } }];
  const { document } = dom.parseHTML("<!doctype html><html><body></body></html>");
  return {
    plot,
    draw(options) {
      const svg = plot.plot({ document, style: { background: "none", overflow: "visible" }, ...options });
      for (const part of svg.querySelectorAll("[aria-label], [aria-description]")) {
        part.removeAttribute("aria-label");
        part.removeAttribute("aria-description");
      }
      return trusted(svg.outerHTML);
    },
  };
}

/** A name as short as an axis has room for; the table beside has all of it. */
export function short(name: string, most: number): string {
  const signs = Array.from(visible(name));
  return signs.length <= most ? signs.join("") : `${signs.slice(0, most - 1).join("")}…`;
}
