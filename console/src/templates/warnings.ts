import { type Key, useSpeech } from '../i18n';

// The server's warnings as people read them; each group of a pattern is a value. What no line knows is shown as it came.
const known: [RegExp, Key][] = [
  [/^brand voice: (.*)$/, 'warning.voice'],
  [/^(.+) is undefined$/, 'warning.undefined'],
  [/^(.+) does not exist$/, 'warning.missing'],
  [/^the body has ([\d,]+) bytes: Gmail clips mails of more than ([\d,]+)$/, 'warning.size'],
  [/^the subject has ([\d,]+) characters$/, 'warning.long_subject'],
  [/^the subject is empty$/, 'warning.no_subject'],
  [/^link without an address that works: (.*)$/, 'warning.link'],
  [/^image that mail programs cannot load: (.*)$/, 'warning.image'],
  [/^(\d+) segments \((.+)\)$/, 'warning.segments'],
  [/^aborted: (.*)$/, 'warning.aborted'],
];

/** Says a warning in the language of the console. */
export function useWarnings(): (warning: string) => string {
  const { t } = useSpeech();
  return (warning) => {
    for (const [pattern, key] of known) {
      const found = pattern.exec(warning);
      if (found) return t(key, { a: found[1] ?? '', b: found[2] ?? '' });
    }
    return warning;
  };
}
