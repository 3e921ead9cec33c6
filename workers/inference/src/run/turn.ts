/** ONNX Runtime computes on the isolate's one thread, and nothing it does may interleave: everyone shares one turn. */
export interface Turn {
  /** The number of the run in progress; 0 when there is none. */
  running: number;
  /** Runs begun so far. */
  begun: number;
}

/**
 * Does work when its turn has come. A run ends within the turn of the event loop that began it: who meets the same one
 * twice knows that its caller was cancelled in the middle, and carries on.
 */
export async function takeTurn<T>(turn: Turn, hop: () => Promise<unknown>, work: () => Promise<T>): Promise<T> {
  for (let seen = 0; turn.running !== 0 && turn.running !== seen; ) {
    seen = turn.running;
    await hop();
  }
  return holdTurn(turn, work);
}

/** Does work at once: the caller has seen that nothing runs. */
export async function holdTurn<T>(turn: Turn, work: () => Promise<T>): Promise<T> {
  const mine = ++turn.begun;
  turn.running = mine;
  try {
    return await work();
  } finally {
    if (turn.running === mine) turn.running = 0;
  }
}
