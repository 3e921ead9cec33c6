/** How long and how often things are measured. */
export interface Plan {
  /** Seconds of load before anything is counted: V8 compiles what runs often. */
  readonly warmSeconds: number;
  /** Rounds of a comparison; each round runs every side once. */
  readonly rounds: number;
  /** Seconds of load per side and round. Short and many: what else runs on the machine then hits both sides alike. */
  readonly roundSeconds: number;
  /** Rounds and seconds of the comparison at a fixed rate, and of the answer cache's. */
  readonly rateRounds: number;
  readonly rateSeconds: number;
  readonly coldStarts: number;
  /** Seconds of load that count as "1×" when memory is watched. */
  readonly memorySeconds: number;
}

export const fullPlan: Plan = {
  warmSeconds: 3,
  rounds: 21,
  roundSeconds: 1,
  rateRounds: 7,
  rateSeconds: 3,
  coldStarts: 3,
  memorySeconds: 5,
};

export const quickPlan: Plan = {
  warmSeconds: 0.5,
  rounds: 3,
  roundSeconds: 0.5,
  rateRounds: 1,
  rateSeconds: 1,
  coldStarts: 1,
  memorySeconds: 0.5,
};

/** Connections kept busy for throughput: enough that the Worker never waits, few enough that queues stay short. */
export const connections = 16;
/** Requests per second at which latency is compared. */
export const fixedRate = 100;
