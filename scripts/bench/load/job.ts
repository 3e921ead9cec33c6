/** What a generator is asked to do, and what it found: plain data, since it crosses a process border. */

export interface Job {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Requests that differ: `numberPlace` becomes a number that counts from `from`, each sent `times` times. */
  readonly series?: { readonly from: number; readonly times: number; readonly requestsMax?: number };
  /** What stands in `Authorization`, each request the next one; `once`: until all were sent. In place of a series. */
  readonly credentials?: { readonly list: readonly string[]; readonly once?: true };
  readonly seconds: number;
  /** Connections kept busy; with a `rate`, the most that may be in flight. */
  readonly connections: number;
  /** Requests per second sent by the clock, whether earlier ones are answered or not. Absent: as fast as answers come. */
  readonly rate?: number;
  /** Whether the times between those are exponentially distributed, the same each time, instead of all alike. */
  readonly isPoisson?: boolean;
  /** What the head of every answer must contain, lower case; an answer without it fails the job. */
  readonly expect: readonly string[];
}

/** In a body or the last header, where the number of a series goes: as many digits. */
export const numberPlace = "00000000";

export interface Findings {
  readonly answers: number;
  readonly seconds: number;
  readonly requestsPerSecond: number;
  readonly latencyMsMean: number;
  readonly latencyMsP50: number;
  readonly latencyMsP99: number;
  /** CPU time of the generator itself, microseconds per request. */
  readonly generatorCpuUs: number;
}

export type Reply =
  | { readonly id: number; readonly findings: Findings }
  | { readonly id: number; readonly error: string };
