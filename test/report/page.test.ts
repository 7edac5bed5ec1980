import { beforeAll, describe, expect, it } from "vitest";
import { loadPencil, type Pencil } from "../../src/report/drawing.ts";
import { reportPage } from "../../src/report/page.ts";
import { readCounts } from "../../src/report/read.ts";
import { type Selectable, parseHTML } from "./parse-html.ts";
import { collected, day, lines, snapshot } from "./snapshots.ts";

const HOSTILE = `"><script>alert(1)</script><img src=x onerror='alert(2)'>&lt;b&gt;</svg></title></style>\u202E`;
const now = new Date("2026-11-25T12:00:00Z");
let pencil: Pencil;

beforeAll(async () => {
  pencil = await loadPencil();
});

/** The page of some lines, as text and as a document. */
function page(text: string, title = "Counts"): { markup: string; document: Selectable } {
  const markup = reportPage(readCounts(text), pencil, { title, now });
  return { markup, document: parseHTML(markup).document };
}

function texts(within: Selectable, selector: string): string[] {
  return [...within.querySelectorAll(selector)].map(({ textContent }) =>
    textContent.replaceAll(/\s+/g, " ").trim(),
  );
}

/** The rows of a table, by its caption. */
function table(document: Selectable, caption: string): string[][] {
  const found = [...document.querySelectorAll("table")].find((one) => texts(one, "caption")[0] === caption);
  return found === undefined ? [] : [...found.querySelectorAll("tr")].map((row) => texts(row, "th, td"));
}

describe("the page", () => {
  it("says the same in headlines and tables", () => {
    const { document } = page(lines(day()));
    expect(
      texts(document, ".headlines dt").map((name, i) => [name, texts(document, ".headlines .value")[i]]),
    ).toEqual([
      ["Coverage of writes", "91.4 %"],
      ["Coverage of reads", "59.0 %"],
      ["Drifts", "6"],
      ["Writes refused", "112"],
      ["KMS requests avoided (estimate)", "764,928"],
      ["Cache hits", "93.6 %"],
    ]);
    expect(table(document, "answers by operation")).toEqual([
      ["Operation", "With bucket key", "Without", "Other encryption", "Coverage"],
      ["PutObject", "249,600", "24,006", "0", "91.2 %"],
      ["CopyObject", "6,720", "0", "0", "100.0 %"],
      ["GetObject", "552,960", "384,000", "0", "59.0 %"],
      ["HeadObject", "0", "0", "14,784", "none"],
      ["CompleteMultipartUpload", "768", "0", "0", "100.0 %"],
    ]);
    expect(table(document, "answers by rule")[1]).toEqual(["defaults", "0", "384,000", "14,784", "0.0 %"]);
    expect(table(document, "drifts by operation")[1]).toEqual(["PutObject", "bucket-key", "6"]);
    expect(table(document, "decisions")[1]).toEqual(["amend", "set", "enforce", "172,800"]);
    expect(table(document, "requests to KMS by result")).toContainEqual([
      "Decrypt",
      "ThrottlingException",
      "112",
      "200.0 ms",
    ]);
    expect(table(document, "errors and notes")).toContainEqual(["AccessDenied", "amended", "92"]);
    const overTime = table(document, "KMS requests estimated as avoided").slice(1);
    const sum = overTime
      .flatMap(([, ...counts]) => counts.map((one) => Number(one.replaceAll(",", ""))))
      .reduce((a, b) => a + b);
    expect(sum).toBe(764_928);
  });

  it("has a described picture for each chart, a wide one and a narrow one, and a table by it", () => {
    const { document } = page(lines(day()));
    const pictures = [...document.querySelectorAll("figure > [role=img]")];
    expect(pictures.length).toBe(2 * 8);
    expect(pictures.filter((one) => (one.getAttribute("aria-label") ?? "").length < 10)).toEqual([]);
    expect(texts(document, "section:has(figure) table caption").length).toBeGreaterThanOrEqual(8);
  });

  it("shows buckets where the metrics have them", () => {
    const { document } = page(collected());
    expect(table(document, "answers by bucket")).toEqual([
      ["Bucket", "With bucket key", "Without", "Neither", "Coverage"],
      ["raw", "0", "30", "0", "0.0 %"],
      ["lake", "60", "0", "0", "100.0 %"],
    ]);
    expect(texts(document, ".advice li")).toContainEqual(
      expect.stringContaining("had no bucket key (raw: 30)"),
    );
  });

  it("of a program that did nothing says so", () => {
    const { document } = page(lines([snapshot("2026-11-24T09:00:00Z")]));
    expect(texts(document, "section > p")).toEqual(
      expect.arrayContaining([
        "No answer was seen.",
        "No write was decided.",
        "No answer was held against a rule.",
        "None so far.",
        "Nothing was enforced, so nothing could drift.",
      ]),
    );
    expect(texts(document, ".headlines div").slice(0, 2)).toEqual([
      "Coverage of writes – no SSE-KMS writes",
      "Coverage of reads – no SSE-KMS reads",
    ]);
    expect(texts(document, "h2")).not.toContain("Client-side encryption");
  });

  it.each(["honoured", "unverified"] as const)("tells no drifts from nothing enforced: %s", (verdict) => {
    const responses = [
      { operation: "PutObject", state: "enabled", sse: "aws:kms", verdict, count: 1 },
    ] as const;
    const { document } = page(lines([snapshot("2026-11-24T09:00:00Z", { responses })]));
    expect(texts(document, "section > p")).toContain(
      "None: S3 took every enforced write as the policy wanted it.",
    );
  });

  it("names mode and reason in full, on a telephone too", () => {
    const requests = [
      { operation: "PutObject", decision: "pass", why: "already-set", mode: "audit", count: 3 },
    ] as const;
    const { document } = page(lines([snapshot("2026-11-24T09:00:00Z", { requests })]));
    const [wide, narrow] = [".wide", ".narrow"].map((size) =>
      texts(document, `${size}[aria-label="Bars: decisions by reason."] text`),
    );
    expect(wide).toContain("already-set (audit)");
    expect(narrow?.join(" ")).toMatch(/already-set\s*\(audit\)/);
  });

  it("shows two lines that say the same: a dashed one on a wide one", () => {
    const answer = { state: "enabled", sse: "aws:kms", verdict: "compliant", count: 1 } as const;
    const responses = [
      { ...answer, operation: "PutObject" },
      { ...answer, operation: "GetObject" },
    ] as const;
    const { document } = page(lines([snapshot("2026-11-24T09:00:00Z", { responses })]));
    const drawn = [
      ...document.querySelectorAll('.wide[aria-label^="Lines: coverage of writes"] g[stroke-width]'),
    ].map((one) => [one.getAttribute("stroke-width"), one.getAttribute("stroke-dasharray")]);
    expect(drawn).toEqual(
      expect.arrayContaining([
        ["4", null],
        ["2", "6 5"],
      ]),
    );
  });

  it("rounds an estimate too long for a headline, and no number of a table", () => {
    const estimatedKmsRequestsAvoided = { GenerateDataKey: 3_658_123_456, Decrypt: 0 };
    const { document } = page(lines([snapshot("2026-11-24T09:00:00Z", { estimatedKmsRequestsAvoided })]));
    expect(texts(document, ".headlines .value")).toContain("3.66 billion");
    expect(table(document, "KMS requests estimated as avoided")[1]).toEqual([
      "2026-11-24 08:59",
      "3,658,123,456",
    ]);
  });

  it("says which lines were left out", () => {
    const { document } = page(`${JSON.stringify(snapshot("2026-11-24T09:00:00Z"))}\n{\n`);
    expect(texts(document, "header li")).toEqual(["Line 2: is no JSON: one object a line."]);
  });

  it("keeps a chart to what can be seen, and the rest in its table", () => {
    const rules = Array.from({ length: 40 }, (_none, i) => ({
      rule: `r${i}`,
      state: "disabled" as const,
      count: i + 1,
    }));
    const { document } = page(lines([snapshot("2026-11-24T09:00:00Z", { rules })]));
    expect(texts(document, "section > p")).toContain("25 more in the table.");
    expect(table(document, "answers by rule")).toHaveLength(41);
  });
});

describe("a file full of markup", () => {
  const words = {
    operation: HOSTILE,
    state: "disabled",
    sse: "aws:kms",
    verdict: HOSTILE,
    decision: HOSTILE,
    why: HOSTILE,
  };
  const hostile = snapshot("2026-11-24T09:00:00Z", {
    instance: HOSTILE,
    policyDigest: HOSTILE,
    mode: HOSTILE as "off",
    requests: [{ ...words, mode: HOSTILE, count: 3 }] as never,
    responses: [{ ...words, count: 3 }] as never,
    rules: [
      { rule: HOSTILE, state: "disabled", count: 3 },
      { rule: "__proto__", state: "disabled", count: 1 },
    ],
    drifts: [{ operation: HOSTILE, kind: HOSTILE, count: 2 }] as never,
    notes: [
      { note: HOSTILE, count: 2 },
      { note: "constructor", count: 1 },
    ] as never,
    errors: [{ type: HOSTILE, phase: HOSTILE, count: 2 }] as never,
    envelope: {
      kmsRequests: [{ operation: HOSTILE, errorType: HOSTILE, count: 2, seconds: 1 }],
      cacheRequests: [{ result: HOSTILE, count: 2 }],
      cacheEntries: 0,
      retiredDataKeys: [{ reason: HOSTILE, count: 1 }],
      sealedBytes: 0,
      openedBytes: 0,
      plainReads: 0,
    },
  });
  const buckets = collected().replaceAll('"raw"', JSON.stringify(HOSTILE));

  it.each([
    ["snapshots", lines([hostile])],
    ["bucket names", buckets],
  ])("stays text: %s", (_says, text) => {
    const { markup, document } = page(text, HOSTILE);
    const elements = [...document.querySelectorAll("*")];
    expect(
      elements.filter(({ localName }) => ["script", "img", "b", "iframe", "a"].includes(localName)),
    ).toEqual([]);
    const attributes = elements.flatMap((one) => [...one.attributes]);
    expect(attributes.filter(({ name }) => /^(?:on|src|href|xlink)/.test(name))).toEqual([]);
    expect(markup).not.toContain("<script");
    expect(markup).not.toContain("\u202E");
    expect(texts(document, "h1")).toEqual([HOSTILE.replace("\u202E", "\uFFFD")]);
  });

  it("could fetch nothing and run nothing even if it did not", () => {
    const { markup } = page(lines(day()));
    expect(markup).toContain(
      `http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'`,
    );
    expect(markup).not.toMatch(/https?:|url\(|@import/);
  });
});
