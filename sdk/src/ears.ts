/** Who wants to hear what. */

export type Name = 'items' | 'unread' | 'shown' | 'clicked' | 'dismissed' | 'push' | 'error';
type Heard = (detail: any) => void;

export interface Ears {
  /** Answers how to stop. What stands (`items`, `unread`) is told at once to who comes late. */
  on(name: Name, heard: Heard): () => void;
  emit(name: Name, detail?: unknown): void;
}

export function openEars(): Ears {
  const ears = new Map<Name, Set<Heard>>();
  const standing = new Map<Name, unknown>();
  const of = (name: Name) => ears.get(name) ?? ears.set(name, new Set()).get(name)!;

  return {
    on(name, heard) {
      of(name).add(heard);
      if (standing.has(name)) heard(standing.get(name));
      return () => of(name).delete(heard);
    },
    emit(name, detail) {
      if (name === 'items' || name === 'unread') standing.set(name, detail);
      for (const heard of of(name)) heard(detail);
    },
  };
}
