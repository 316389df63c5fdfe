import { api } from '../api';
import { number, share, titleOf } from '../format';
import { useSpeech } from '../i18n';
import { useLoad } from '../load';
import { Page } from '../parts/page';
import { Empty, Loading, Problem } from '../parts/state';
import { Link, to } from '../router';
import { useWorkspace } from '../session';
import { Status } from './status';

export default function Journeys() {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const { data, problem, reload } = useLoad(`journeys ${space.id}`, (signal) => api.journeys(signal), 3000);
  return (
    <Page title={t('journeys.title')} lead={t('journeys.lead')}>
      {problem && <Problem of={problem} again={reload} compact={data !== undefined} />}
      {!data && !problem && <Loading rows={5} height={64} />}
      {data?.items.length === 0 && <Empty title={t('journeys.empty')}>{t('journeys.empty.text')}</Empty>}
      <ul className="cards" role="list">
        {data?.items.map((one) => (
          <li key={one.name} className="card">
            <div className="card-main">
              <h2><Link to={to('journeys', one.name)} className="card-link">{titleOf(one)}</Link></h2>
              <p className="card-tags"><Status of={one.status} version={one.version} /></p>
            </div>
            <dl className="card-figures">
              <div><dt>{t('journey.entered')}</dt><dd>{number(one.counts.entered, language)}</dd></div>
              <div><dt>{t('journey.active')}</dt><dd role="status">{number(one.counts.active, language)}</dd></div>
              <div><dt>{t('journey.completed')}</dt><dd>{number(one.counts.completed, language)}</dd></div>
              <div className="figure-accent"><dt>{t('journey.goal')}</dt><dd>{number(one.counts.goal, language)}<small>{one.counts.entered ? share(one.counts.goal / one.counts.entered, language) : ''}</small></dd></div>
            </dl>
          </li>
        ))}
      </ul>
    </Page>
  );
}
