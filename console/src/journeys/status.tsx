import { useSpeech } from '../i18n';
import { Chip } from '../parts/figures';

export function Status({ of, version }: { of: string; version: number | null }) {
  const { t, maybe } = useSpeech();
  const live = of === 'published' || of === 'live' || of === 'active';
  return <><Chip tone={live ? 'good' : of === 'paused' ? 'accent' : 'plain'}>{live ? t('journey.live') : maybe(`journey.${of}`, of)}</Chip>{version !== null && version !== undefined && <Chip>{t('segments.version', { n: version })}</Chip>}</>;
}
