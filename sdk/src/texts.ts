/** Our own words; a site may replace any of them. */
const ENGLISH = {
  close: 'Close',
  inbox: 'Messages',
  unread: '# unread',
  empty: 'There are no messages.',
  remove: 'Delete',
  isNew: 'New',
  pushTitle: 'May we notify you?',
  pushText: 'We tell you when there is something for you. You can stop this at any time.',
  pushYes: 'Yes, please',
  pushNo: 'Not now',
};

export type Texts = typeof ENGLISH;

const JAPANESE: Texts = {
  close: '閉じる',
  inbox: 'お知らせ',
  unread: '未読#件',
  empty: 'お知らせはありません。',
  remove: '削除',
  isNew: '新着',
  pushTitle: '通知を受け取りますか?',
  pushText: '新しいお知らせがあるときに通知します。いつでも停止できます。',
  pushYes: '受け取る',
  pushNo: 'あとで',
};

export function textsFor(locale: string, own: Partial<Texts> = {}): Texts {
  return { ...(/^ja\b/i.test(locale) ? JAPANESE : ENGLISH), ...own };
}
