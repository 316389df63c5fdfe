import { ActionIcon, NativeSelect, SegmentedControl, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import type { Workspace } from './api';
import { time } from './format';
import { type Language, useSpeech } from './i18n';
import { Icon, Mark } from './parts/icon';
import { Link, parts, usePath } from './router';
import { useSession, useWorkspace } from './session';
import { hearNow } from './now';

// What belongs together stands together: whom we know, what is said to them, what people carry, what became of it.
const places = [
  ['overview'],
  ['profiles', 'segments'],
  ['journeys', 'campaigns', 'templates', 'catalogs'],
  ['calls'],
  ['outbox', 'delivery', 'dashboards'],
] as const;
const within: Record<string, string> = { letters: 'calls' }; // sections that have no entry of their own

export function Shell({ children }: { children: ReactNode }) {
  const { t } = useSpeech();
  return (
    <div className="shell">
      <a className="skip" href="#content">{t('skip')}</a>
      <header className="top">
        <Link to="/" className="brand"><Mark /><span>Kizuna</span></Link>
        <Spaces />
        <Navigation />
        <div className="top-end">
          <Clock />
          <Settings />
        </div>
      </header>
      <main id="content" tabIndex={-1}>{children}</main>
    </div>
  );
}

function Navigation() {
  const { t } = useSpeech();
  const section = parts(usePath())[0] ?? 'overview';
  const here = within[section] ?? section;
  const nav = useRef<HTMLElement>(null);
  useEffect(() => { nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' }); }, [here]); // on a phone they stand in one row
  return (
    <nav ref={nav} aria-label={t('nav')} className="nav">
      <ul>
        {places.flatMap((group) => group.map((place, index) => (
          <li key={place} className={index === 0 ? 'nav-first' : undefined}>
            <Link to={place === 'overview' ? '/' : `/${place}`} aria-current={here === place ? 'page' : undefined}>
              <Icon name={place} /><span>{t(`nav.${place}`)}</span>
            </Link>
          </li>
        )))}
      </ul>
    </nav>
  );
}

function Spaces() {
  const { t } = useSpeech();
  const { me, workspace, choose } = useSession();
  const spaces: Workspace[] = me?.workspaces ?? [];
  return (
    <NativeSelect className="spaces" size="sm" aria-label={t('workspace')} value={workspace?.id ?? ''} onChange={(event) => choose(event.currentTarget.value)}
      data={spaces.map((one) => ({ value: one.id, label: one.name }))} />
  );
}

/** The workspace's own time: in a test workspace it stands still until it is moved. */
function Clock() {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const [now, setNow] = useState(space.now);
  useEffect(() => hearNow(space.id, setNow), [space.id]);
  useEffect(() => { setNow(space.now); }, [space.now]);
  return (
    <p className="clock" title={`${t('clock.hint')} · ${space.zone}`}>
      <span className={space.clock === 'test' ? 'clock-kind clock-test' : 'clock-kind'}>{t(space.clock === 'test' ? 'clock.test' : 'clock.live')}</span>
      <time dateTime={now}>{time(now, language, space.zone)}</time>
    </p>
  );
}

export function LanguageSwitch() {
  const { t, language, speak } = useSpeech();
  return <SegmentedControl size="xs" aria-label={t('language')} value={language} onChange={(value) => speak(value as Language)} data={[{ value: 'en', label: 'EN' }, { value: 'ja', label: '日本語' }]} />;
}

export function SchemeSwitch() {
  const { t } = useSpeech();
  const scheme = useComputedColorScheme('light');
  const { setColorScheme } = useMantineColorScheme();
  const other = scheme === 'dark' ? 'light' : 'dark';
  return <ActionIcon variant="default" size={30} aria-label={t(`theme.${other}`)} title={t(`theme.${other}`)} onClick={() => setColorScheme(other)}><Icon name={other === 'dark' ? 'moon' : 'sun'} size={17} /></ActionIcon>;
}

function Settings() {
  const { t } = useSpeech();
  const { me, leave } = useSession();
  return (
    <div className="settings">
      <LanguageSwitch />
      <SchemeSwitch />
      <ActionIcon variant="default" size={30} aria-label={t('sign_out')} title={`${t('sign_out')} · ${me?.email ?? ''}`} onClick={() => void leave()}><Icon name="exit" size={17} /></ActionIcon>
    </div>
  );
}
