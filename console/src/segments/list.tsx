import { api } from '../api';
import { number, share, titleOf } from '../format';
import { useSpeech } from '../i18n';
import { useLoad } from '../load';
import { Chip } from '../parts/figures';
import { Page } from '../parts/page';
import { Empty, Loading, Problem } from '../parts/state';
import { Link, to } from '../router';
import { useWorkspace } from '../session';
import { RuleLine } from './rule';

const PACE = 3000;

export default function Segments() {
  const { t, language, maybe } = useSpeech();
  const space = useWorkspace();
  const { data, problem, reload } = useLoad(`segments ${space.id}`, (signal) => api.segments(signal), PACE);
  const people = useLoad(`overview ${space.id}`, (signal) => api.overview(signal)).data?.profiles ?? 0;
  return (
    <Page title={t('segments.title')} lead={t('segments.lead')}>
      {problem && <Problem of={problem} again={reload} compact={data !== undefined} />}
      {!data && !problem && <Loading rows={6} height={56} />}
      {data?.items.length === 0 && <Empty title={t('segments.empty')}>{t('segments.empty.text')}</Empty>}
      <ul className="cards" role="list">
        {data?.items.map((one) => (
          <li key={one.name} className="card">
            <div className="card-main">
              <h2><Link to={to('segments', one.name)} className="card-link">{titleOf(one)}</Link></h2>
              <p className="card-text"><RuleLine rule={one.where} /></p>
              <p className="card-tags"><Chip>{t('segments.version', { n: one.version })}</Chip>{one.state && <Chip tone={one.state === 'filling' ? 'accent' : 'good'}>{maybe(`segment.state.${one.state}`, one.state)}</Chip>}</p>
            </div>
            <p className="card-figure" role="status" aria-label={`${titleOf(one)}: ${number(one.size, language)}`}>
              <b>{number(one.size, language)}</b>
              <small>{people ? share(one.size / people, language) : t('segments.size')}</small>
            </p>
          </li>
        ))}
      </ul>
    </Page>
  );
}
