import { useMemo } from 'react';
import { api, type Mail } from '../api';
import { time, titled } from '../format';
import { useSpeech } from '../i18n';
import { useLoad, usePages } from '../load';
import { nonce } from '../nonce';
import { Page } from '../parts/page';
import { Empty, Loading, More, Problem } from '../parts/state';
import { Link, to } from '../router';
import { useWorkspace } from '../session';
import { harmless } from './harmless';

export default function Outbox({ name }: { name?: string }) {
  const { t } = useSpeech();
  const space = useWorkspace();
  const { items, problem, reload, more, busy } = usePages(`outbox ${space.id}`, (cursor, signal) => api.outbox(cursor, signal));
  const providers = useLoad(`providers ${space.id}`, (signal) => api.providers(signal)).data?.items;
  const wanted = items?.find((mail) => mail.id === name || mail.message_id === name);
  const open = wanted ?? (name ? undefined : items?.[0]);
  return (
    <Page title={t('outbox.title')} lead={t('outbox.lead')} wide>
      {providers && !providers.some((one) => one.channel === 'email') && <p className="notice">{t('outbox.notice')}</p>}
      {problem && <Problem of={problem} again={reload} compact={items !== undefined} />}
      {!items && !problem && <Loading rows={8} height={40} />}
      {items?.length === 0 && <Empty title={t('outbox.empty')}>{t('outbox.empty.text')}</Empty>}
      {items && items.length > 0 && (
        <div className={name ? 'outbox outbox-reading' : 'outbox'}>
          <section className="outbox-list" aria-label={t('outbox.list')}>
            <ul role="list">{items.map((mail) => <Row key={mail.id} mail={mail} here={mail === open} />)}</ul>
            <More more={more && (() => void more())} busy={busy} />
          </section>
          <section className="outbox-mail panel">
            {name && <Link to="/outbox" className="back outbox-back">← {t('back', { page: t('outbox.title') })}</Link>}
            {open ? <Letter mail={open} /> : <p className="note">{t('outbox.choose')}</p>}
          </section>
        </div>
      )}
    </Page>
  );
}

function Row({ mail, here }: { mail: Mail; here: boolean }) {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  return (
    <li>
      <Link to={to('outbox', mail.id)} aria-current={here ? 'true' : undefined}>
        <b>{mail.subject || t('outbox.no_subject')}</b>
        <span>{mail.to}</span>
        <time dateTime={mail.at}>{time(mail.at, language, space.zone)}</time>
      </Link>
    </li>
  );
}

function Letter({ mail }: { mail: Mail }) {
  const { t, language } = useSpeech();
  const space = useWorkspace();
  const page = useMemo(() => harmless(mail.body, t('outbox.image'), nonce), [mail.body, t]);
  const headers = Array.isArray(mail.headers) ? mail.headers : Object.entries(mail.headers ?? {});
  return (
    <article className="letter">
      <h2>{mail.subject || t('outbox.no_subject')}</h2>
      <p className="letter-meta">
        <span>{t('outbox.to')} <b>{mail.to}</b></span>
        <time dateTime={mail.at}>{time(mail.at, language, space.zone)}</time>
        <Link to={to('profiles', mail.profile)}>{t('outbox.profile')}</Link>
        {mail.journey && <Link to={to('journeys', mail.journey)}>{t('outbox.from_journey')}: {titled(mail.journey)}</Link>}
        {mail.campaign && <Link to={to('campaigns', mail.campaign)}>{t('outbox.from_campaign')}: {titled(mail.campaign)}</Link>}
      </p>
      <iframe title={t('outbox.preview', { to: mail.to })} sandbox="" srcDoc={page} referrerPolicy="no-referrer" />
      <p className="note">{t('outbox.safe')}</p>
      <details className="raw"><summary>{t('outbox.headers')}</summary><dl className="pairs headers">{headers.map(([key, value], index) => <div key={index}><dt>{key}</dt><dd className="mono">{value}</dd></div>)}</dl></details>
    </article>
  );
}
