/** Time, cut into equal pieces that a reader can name. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const STEPS = [
  { ms: MINUTE_MS, name: "minute" },
  { ms: 5 * MINUTE_MS, name: "5 minutes" },
  { ms: 15 * MINUTE_MS, name: "15 minutes" },
  { ms: HOUR_MS, name: "hour" },
  { ms: 3 * HOUR_MS, name: "3 hours" },
  { ms: 12 * HOUR_MS, name: "12 hours" },
  { ms: DAY_MS, name: "day" },
  { ms: 2 * DAY_MS, name: "2 days" },
  { ms: 7 * DAY_MS, name: "7 days" },
  { ms: 28 * DAY_MS, name: "28 days" },
  { ms: 364 * DAY_MS, name: "52 weeks" },
] as const;
/** More would be too thin to see, and too long to read. */
const MOST_PIECES = 40;

export interface Timeline {
  /** How long a piece is: `5 minutes`. */
  readonly stepName: string;
  readonly stepMs: number;
  /** When each piece begins, in milliseconds since 1970; on whole minutes, hours or days of UTC. */
  readonly startsMs: readonly number[];
  /** Index of the piece in which something ended that was counted up to then. */
  pieceOf(atMs: number): number;
}

/** The pieces of a span of time. */
export function timelineOf(fromMs: number, toMs: number): Timeline {
  const pieces = (stepMs: number): [first: number, last: number] => [
    // A count taken on the full hour is the count of the hour before.
    Math.floor((fromMs - 1) / stepMs),
    Math.floor((toMs - 1) / stepMs),
  ];
  const fits = STEPS.find(({ ms }) => pieces(ms)[1] - pieces(ms)[0] < MOST_PIECES);
  const step = fits ?? { ms: Math.ceil((toMs - fromMs) / MOST_PIECES / DAY_MS + 1) * DAY_MS, name: "piece" };
  const [first, last] = pieces(step.ms);
  return {
    stepName: step.name,
    stepMs: step.ms,
    startsMs: Array.from({ length: last - first + 1 }, (_none, i) => (first + i) * step.ms),
    pieceOf: (atMs) => Math.min(Math.max(Math.floor((atMs - 1) / step.ms) - first, 0), last - first),
  };
}
