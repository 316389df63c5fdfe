import { useState } from 'react';
import { failure, type Problem } from './api';

/** One thing at a time that a member does: whether it is under way, and what went wrong with the last. */
export function useAct(): { busy: boolean; problem: Problem | undefined; act: (deed: () => Promise<void>) => Promise<void>; forget: () => void } {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const act = async (deed: () => Promise<void>): Promise<void> => {
    if (busy) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await deed();
    } catch (error) {
      setProblem(failure(error));
    }
    setBusy(false);
  };
  return { busy, problem, act, forget: () => setProblem(undefined) };
}
