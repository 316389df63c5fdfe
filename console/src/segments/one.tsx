import { api } from '../api';
import { day, mailOf, nameOf, number, share, titled, titleOf } from '../format';
import { useSpeech } from '../i18n';
import { useLoad, usePages } from '../load';
import { Page, Panel } from '../parts/page';
import { Loading, More, Problem } from '../parts/state';
import { Link, to } from '../router';
import { useWorkspace } from '../session';
import { RuleTree } from './rule';

export default function One({ name }: { name: string }) {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const { data, problem, reload } = useLoad(`segment ${space.id} ${name}`, (signal) => api.segment(name, signal), 3000);
  const people = useLoad(`overview ${space.id}`, (signal) => api.overview(signal)).data?.profiles ?? 0;
  return (
    <Page title={data ? titleOf(data) : titled(name)} lead={data && t('segments.version', { n: data.version })} back={{ to: '/segments', name: t('segments.title') }}>
      {problem && <Problem of={problem} again={reload} compact={data !== undefined} />}
      {!data && !problem && <Loading rows={6} />}
      {data && (
        <>
          <div className="segment-top">
            <section className="panel segment-size">
              <h2>{t('segments.size')}</h2>
              <p role="status" className="big">{number(data.size, language)}</p>
              {people > 0 && <p className="note">{t('segments.share', { share: share(data.size / people, language) })}</p>}
            </section>
            <Panel title={t('segments.rule')}>
              <RuleTree rule={data.where} />
              <details className="raw"><summary>{t('segments.as_json')}</summary><pre>{JSON.stringify(data.where, null, 2)}</pre></details>
            </Panel>
          </div>
          <Members name={name} />
        </>
      )}
    </Page>
  );
}

function Members({ name }: { name: string }) {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const { items, problem, reload, more, busy } = usePages(`members ${space.id} ${name}`, (cursor, signal) => api.members(name, cursor, signal));
  return (
    <Panel title={t('segments.members')}>
      {problem && <Problem of={problem} again={reload} compact />}
      {!items && !problem && <Loading rows={5} />}
      {items?.length === 0 && <p className="note">{t('segments.no_members')}</p>}
      <ul className="people people-plain" role="list">
        {items?.map((one) => {
          const who = nameOf(one, t('profiles.anonymous'));
          return (
            <li key={one.id}>
              <Link to={to('profiles', one.id)} className="person">
                <span className="person-who"><b>{who}</b><small>{mailOf(one) && mailOf(one) !== who ? mailOf(one) : one.id}</small></span>
                <span className="person-seen">{one.entered_at && <><small>{t('profiles.entered')}</small>{day(one.entered_at, language, space.zone)}</>}</span>
              </Link>
            </li>
          );
        })}
      </ul>
      <More more={more && (() => void more())} busy={busy} />
    </Panel>
  );
}
