/** The newest time heard from a workspace; whoever reads it from an answer tells the clock in the shell. */
const heard = new Map<string, string>();
const ears = new Set<(id: string, now: string) => void>();

export function tellNow(id: string, now: string): void {
  if (heard.get(id) === now) return;
  heard.set(id, now);
  for (const ear of ears) ear(id, now);
}

export function hearNow(id: string, hear: (now: string) => void): () => void {
  const ear = (from: string, now: string): void => { if (from === id) hear(now); };
  const known = heard.get(id);
  if (known) hear(known);
  ears.add(ear);
  return () => { ears.delete(ear); };
}
