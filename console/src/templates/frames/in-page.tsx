import { SegmentedControl } from '@mantine/core';
import { useMemo, useState } from 'react';
import { useSpeech } from '../../i18n';
import { nonce } from '../../nonce';
import { harmless } from '../../outbox/harmless';
import type { Shown } from '../preview';
import { Phone, Scaled } from './device';
import { pageWith } from './page-with';

const DESK = { width: 960, height: 640 };

/** A message in the shop's own page, as large as the page is. */
export function InPageFrame({ shown, channel }: { shown: Shown; channel: string }) {
  const { t } = useSpeech();
  const [view, setView] = useState('phone');
  const html = useMemo(() => harmless(pageWith(channel, shown, { shop: shown.from, inbox: t('preview.inbox'), image: t('outbox.image') }), t('outbox.image'), nonce), [channel, shown, t]);
  const page = <iframe title={t('preview.page')} sandbox="" srcDoc={html} referrerPolicy="no-referrer" />;
  const url = shown.rendered.content.page?.url;
  return (
    <>
      <SegmentedControl size="xs" aria-label={t('preview.device')} value={view} onChange={setView} data={['phone', 'desk'].map((one) => ({ value: one, label: t(`preview.${one}` as 'preview.desk') }))} />
      {view === 'phone' ? <Phone kind="page">{page}</Phone> : <Scaled {...DESK}><div className="window"><p className="window-bar" aria-hidden="true"><i /><i /><i /></p>{page}</div></Scaled>}
      {url && <p className="note">{t('preview.push.leads', { url })}</p>}
    </>
  );
}
