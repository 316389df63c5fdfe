import { Link } from '../router';

/** The pages of one area, side by side. */
export function PagesOf({ label, pages, here }: { label: string; pages: { to: string; name: string; count?: string }[]; here: string }) {
  return (
    <ul className="pages-of" aria-label={label}>
      {pages.map((page) => <li key={page.to}><Link to={page.to} aria-current={page.to === here ? 'page' : undefined}>{page.name}{page.count && <span>{page.count}</span>}</Link></li>)}
    </ul>
  );
}
