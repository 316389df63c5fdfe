import { useEffect, useRef } from 'react';
import { Link } from '../router';

/** The pages of one area, side by side. */
export function PagesOf({ label, pages, here }: { label: string; pages: { to: string; name: string; count?: string }[]; here: string }) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => { list.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' }); }, [here]); // on a phone they stand in one row
  return (
    <ul ref={list} className="pages-of" aria-label={label}>
      {pages.map((page) => <li key={page.to}><Link to={page.to} aria-current={page.to === here ? 'page' : undefined}>{page.name}{page.count && <span>{page.count}</span>}</Link></li>)}
    </ul>
  );
}
