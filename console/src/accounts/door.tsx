import { type ReactNode, useEffect } from 'react';
import { useSpeech } from '../i18n';
import { Mark } from '../parts/icon';
import { LanguageSwitch, SchemeSwitch } from '../shell';

/** The page in front of the console: one form, and the thread. */
export function Door({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
  const { t } = useSpeech();
  useEffect(() => { document.title = `${title} · 絆 Kizuna`; }, [title]);
  return (
    <div className="door">
      <aside className="door-art" aria-hidden="true">
        <span className="door-kanji">絆</span>
        <svg viewBox="0 0 400 300" preserveAspectRatio="xMidYMid slice"><path d="M-10 210 C 80 210 90 90 170 90 S 230 200 180 200 S 150 110 250 120 S 330 220 410 60" /></svg>
        <p>{t('story')}</p>
      </aside>
      <main className="door-form">
        <div className="door-bar"><span className="brand"><Mark /><span>Kizuna</span></span><span className="settings"><LanguageSwitch /><SchemeSwitch /></span></div>
        <h1>{title}</h1>
        <p className="lead">{lead}</p>
        {children}
      </main>
    </div>
  );
}
