import { api } from '../api';
import { number, share, titled, titleOf } from '../format';
import { useSpeech } from '../i18n';
import { useLoad } from '../load';
import { Chip } from '../parts/figures';
import { Page } from '../parts/page';
import { Empty, Loading, Problem } from '../parts/state';
import { Link, to } from '../router';
import { useWorkspace } from '../session';
import { countsOf, segmentOf, statusOf } from './numbers';

export default function Campaigns() {
  const { t, language, maybe } = useSpeech();
  const space = useWorkspace();
  const { data, problem, reload } = useLoad(`campaigns ${space.id}`, (signal) => api.campaigns(signal), 3000);
  return (
    <Page title={t('campaigns.title')} lead={t('campaigns.lead')}>
      {problem && <Problem of={problem} again={reload} compact={data !== undefined} />}
      {!data && !problem && <Loading rows={5} height={64} />}
      {data?.items.length === 0 && <Empty title={t('campaigns.empty')}>{t('campaigns.empty.text')}</Empty>}
      <ul className="cards" role="list">
        {data?.items.map((one) => {
          const counts = countsOf(one);
          const sent = counts.sent ?? 0;
          const figures = [['planned', counts.planned, 0], ['sent', counts.sent, 0], ['opened', counts.opened, sent], ['clicked', counts.clicked, sent]] as const;
          return (
            <li key={one.name} className="card">
              <div className="card-main">
                <h2><Link to={to('campaigns', one.name)} className="card-link">{titleOf(one)}</Link></h2>
                <p className="card-tags"><Chip tone={statusOf(one) === 'finished' ? 'good' : 'plain'}>{maybe(`campaign.status.${statusOf(one)}`, statusOf(one))}</Chip>{segmentOf(one) && <Chip>{t('campaign.to')} {titled(segmentOf(one) ?? '')}</Chip>}</p>
              </div>
              <dl className="card-figures">
                {figures.map(([key, value, base]) => <div key={key}><dt>{t(`campaign.${key}`)}</dt><dd>{number(value ?? 0, language)}<small>{base ? share((value ?? 0) / base, language) : ''}</small></dd></div>)}
              </dl>
            </li>
          );
        })}
      </ul>
    </Page>
  );
}
