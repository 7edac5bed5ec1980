/** Where Alertmanager's notifications end: an HTTP server of ours that writes down when each came. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** One alert of a notification. */
export interface Notice {
  /** The path it came to: `/pager`. */
  readonly path: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface Webhook {
  readonly address: string;
  readonly notices: readonly Notice[];
  /** The first notice like that, whether it came already or comes in time. */
  first(labels: Readonly<Record<string, string>>, timeoutMs: number): Promise<Notice>;
  close(): Promise<void>;
}

/**
 * Starts it on a free port of 127.0.0.1.
 *
 * @param page - What a GET is answered with, for a Prometheus that scrapes it.
 */
export async function startWebhook(page: string): Promise<Webhook> {
  const notices: Notice[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      response.setHeader("content-type", "text/plain; version=0.0.4").end(page);
      if (request.method !== "POST") return;
      const { alerts } = JSON.parse(Buffer.concat(chunks).toString()) as {
        readonly alerts: readonly Pick<Notice, "labels" | "annotations">[];
      };
      const at = Date.now();
      for (const { labels, annotations } of alerts)
        notices.push({ path: request.url ?? "", labels, annotations, at });
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));

  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    notices,
    async first(labels, timeoutMs): Promise<Notice> {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const notice = notices.find((one) => hasLabels(one, labels));
        if (notice !== undefined) return notice;
        if (Date.now() > deadline) {
          throw new Error(`No notice of ${JSON.stringify(labels)} came within ${timeoutMs / 1000} s.`);
        }
        await sleep(50);
      }
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function hasLabels(notice: Notice, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([name, value]) => notice.labels[name] === value);
}
