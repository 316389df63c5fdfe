import { type ReactNode, useEffect, useRef, useState } from 'react';

/** What has a width of its own, made smaller where there is less room. */
export function Scaled({ width, height, children }: { width: number; height: number; children: ReactNode }) {
  const holder = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState(width);
  useEffect(() => {
    if (!holder.current) return;
    const watch = new ResizeObserver(([entry]) => { if (entry) setRoom(entry.contentRect.width); });
    watch.observe(holder.current);
    return () => watch.disconnect();
  }, []);
  const scale = Math.min(1, (room - 2) / width);
  return (
    <div ref={holder} className="scaled" style={{ height: height * scale }}>
      <div className="scaled-inside" style={{ width, height, transform: `scale(${scale})`, marginLeft: Math.max(0, (room - width * scale) / 2) }}>{children}</div>
    </div>
  );
}

export const PHONE = { width: 375, height: 667 };
const BEZEL = 12;

/** A phone whose screen is 375 wide. */
export const Phone = ({ children, kind, status = 'dark' }: { children: ReactNode; kind: string; status?: 'dark' | 'light' }) => (
  <Scaled width={PHONE.width + 2 * BEZEL} height={PHONE.height + 2 * BEZEL}>
    <div className={`phone phone-${kind}`}>
      <div className={`phone-status phone-status-${status}`} aria-hidden="true"><span>9:41</span><i /><span className="phone-signs"><i /><i /><i /></span></div>
      <div className="phone-screen">{children}</div>
    </div>
  </Scaled>
);

/** A round picture with the first letter of a name. */
export const Face = ({ name }: { name: string }) => <span className="face" aria-hidden="true">{[...name.trim()][0]?.toUpperCase() ?? '?'}</span>;
/** Where a picture will be: nothing is fetched from elsewhere. */
export const Picture = ({ of, ratio = 2, round }: { of: string; ratio?: number; round?: boolean }) => <span className={round ? 'picture picture-round' : 'picture'} style={{ aspectRatio: String(ratio) }} title={of} role="img" aria-label={of}><span>{short(of)}</span></span>;

const short = (url: string): string => url.split(/[?#]/)[0]?.split('/').filter(Boolean).pop() ?? url;
