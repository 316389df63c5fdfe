import { Button } from '@mantine/core';
import { type ComponentType, lazy, Suspense } from 'react';
import { Setup } from './accounts/setup';
import { SignIn } from './accounts/sign-in';
import { useSpeech } from './i18n';
import { Overview } from './overview/page';
import { Page } from './parts/page';
import { Empty, Loading, Problem } from './parts/state';
import { parts, usePath } from './router';
import { useSession } from './session';
import { Shell } from './shell';

// One line a page: its section, the page without and the page with a name after it. Each comes when first visited.
type One = ComponentType<{ name: string }>;
const pages: Record<string, { list: ComponentType; one?: One }> = {
  profiles: { list: lazy(() => import('./profiles/list')), one: lazy(() => import('./profiles/one')) },
  segments: { list: lazy(() => import('./segments/list')), one: lazy(() => import('./segments/one')) },
  journeys: { list: lazy(() => import('./journeys/list')), one: lazy(() => import('./journeys/one')) },
  templates: { list: lazy(() => import('./templates/list')), one: lazy(() => import('./templates/one')) },
  campaigns: { list: lazy(() => import('./campaigns/list')), one: lazy(() => import('./campaigns/one')) },
  catalogs: { list: lazy(() => import('./catalogs/page')) },
  calls: { list: lazy(() => import('./calls/page')) },
  letters: { list: lazy(() => import('./letters/page')) },
  delivery: { list: lazy(() => import('./delivery/page')), one: lazy(() => import('./delivery/provider')) },
  outbox: { list: lazy(() => import('./outbox/page')), one: lazy(() => import('./outbox/page')) },
  dashboards: { list: lazy(() => import('./dashboards/page')) },
};

export function App() {
  const { where, problem, begin, workspace, leave } = useSession();
  const { t } = useSpeech();
  const path = usePath();
  if (where === 'starting') return <main className="door"><Loading rows={3} /></main>;
  if (where === 'unreachable' && problem) return <main className="door"><h1 className="hidden">Kizuna</h1><Problem of={problem} again={() => void begin()} /></main>;
  if (path === '/setup' || where === 'setup') return <Setup />;
  if (where === 'sign-in') return <SignIn />;
  if (!workspace) {
    return <main className="door"><h1>{t('no_workspace.title')}</h1><p>{t('no_workspace.text')}</p><Button variant="default" onClick={() => void leave()}>{t('sign_out')}</Button></main>;
  }
  return <Shell><Suspense fallback={<Loading rows={6} />}><Routed path={path} key={workspace.id} /></Suspense></Shell>;
}

function Routed({ path }: { path: string }) {
  const { t } = useSpeech();
  const [section, name, ...rest] = parts(path);
  if (!section) return <Overview />;
  const found = pages[section];
  if (found && name === undefined) return <found.list />;
  if (found?.one && name !== undefined && rest.length === 0) return <found.one name={name} key={section === 'outbox' ? section : name} />;
  return <Page title={t('missing.title')}><Empty title={t('missing.title')}>{t('missing.text')}</Empty></Page>;
}
