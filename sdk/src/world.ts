/** Time and chance, handed in so that tests need neither. */
export interface World {
  now(): number; // milliseconds since 1970
  later(milliseconds: number, run: () => void): () => void; // answers how to call it off
  chance(): number; // in [0, 1)
}

export const browser: World = {
  now: Date.now,
  later(milliseconds, run) {
    const timer = setTimeout(run, milliseconds);
    return () => clearTimeout(timer);
  },
  chance: Math.random,
};
