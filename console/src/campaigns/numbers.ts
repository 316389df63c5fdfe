import type { Campaign, CampaignCounts } from '../api';

/** A campaign's figures, whether they stand in `counts` or on the campaign itself. */
export const countsOf = (campaign: Campaign): CampaignCounts => ({ ...(campaign as CampaignCounts), ...campaign.counts });

export const skippedOf = (counts: CampaignCounts): number =>
  typeof counts.skipped === 'object' && counts.skipped ? Object.values(counts.skipped).reduce((sum, n) => sum + n, 0) : counts.skipped ?? 0;

export const stages = ['planned', 'sent', 'delivered', 'opened', 'clicked', 'converted'] as const;
export const segmentOf = (campaign: Campaign): string | null => campaign.segment ?? (typeof campaign.definition?.segment === 'string' ? campaign.definition.segment : null);
export const statusOf = (campaign: Campaign): string => campaign.status ?? campaign.state ?? 'draft';

/** Who opened and who clicked, as far as that can be told; nothing where nobody did. */
export const actorsOf = (counts: CampaignCounts): { key: string; opened: number; clicked: number }[] =>
  (['human', 'unsure', 'machine'] as const)
    .map((key) => ({ key, opened: counts[`${key}_opened`] ?? 0, clicked: counts[`${key}_clicked`] ?? 0 }))
    .filter((row) => row.opened || row.clicked);
