/** Notices what was really looked at: half of it, or half a screen of it, for a second. */

const LONG_ENOUGH = 1000; // milliseconds

export type Watch = (element: Element, seen: () => void) => void;

export function openWatch(): Watch {
  const watched = new WeakMap<Element, { seen: () => void; timer?: ReturnType<typeof setTimeout> }>();
  const observer = new IntersectionObserver(
    (changes) => {
      for (const { target, intersectionRatio, intersectionRect } of changes) {
        const one = watched.get(target)!;
        clearTimeout(one.timer);
        if (intersectionRatio < 0.5 && intersectionRect.height < innerHeight / 2) continue;
        one.timer = setTimeout(() => {
          if (!target.isConnected) return;
          observer.unobserve(target);
          one.seen();
        }, LONG_ENOUGH);
      }
    },
    { threshold: [0, 0.1, 0.2, 0.3, 0.4, 0.5] },
  );
  return (element, seen) => {
    watched.set(element, { seen });
    observer.observe(element);
  };
}
