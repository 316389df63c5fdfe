import { type ReactNode, useEffect, useRef } from 'react';
import { useSpeech } from '../i18n';
import { Link, usePath } from '../router';

let before = '';

/** A page: its heading names the browser's tab, and takes the focus when one page follows another. */
export function Page({ title, lead, back, actions, children, wide }: {
  title: string; lead?: ReactNode; back?: { to: string; name: string }; actions?: ReactNode; children?: ReactNode; wide?: boolean;
}) {
  const { t } = useSpeech();
  const path = usePath();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => { document.title = `${title} · 絆 Kizuna`; }, [title]);
  useEffect(() => {
    if (before && before !== path) {
      heading.current?.focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
    before = path;
  }, [path]);
  return (
    <div className={wide ? 'page page-wide' : 'page'}>
      <header className="page-head">
        {back && <Link to={back.to} className="back">← {t('back', { page: back.name })}</Link>}
        <div className="page-title">
          <h1 ref={heading} tabIndex={-1}>{title}</h1>
          {actions}
        </div>
        {lead && <p className="lead">{lead}</p>}
      </header>
      {children}
    </div>
  );
}

export function Panel({ title, note, aside, children, className = '' }: { title?: ReactNode; note?: ReactNode; aside?: ReactNode; children: ReactNode; className?: string }) {
  return (
    <section className={`panel ${className}`}>
      {(title || aside) && <div className="panel-head">{title && <h2>{title}</h2>}{aside}</div>}
      {note && <p className="note">{note}</p>}
      {children}
    </section>
  );
}
