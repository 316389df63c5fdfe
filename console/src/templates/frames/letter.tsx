import type { Json } from '../../api';
import { nameOf } from '../../format';
import { useSpeech } from '../../i18n';
import { fields, text } from '../draft';
import type { Shown } from '../preview';
import { Scaled } from './device';

const A4 = { width: 720, height: 1018 };

/** A letter on A4; the print has its own fonts, window and code (docs/guides/paper-and-people.md). */
export function LetterFrame({ shown }: { shown: Shown }) {
  const { t } = useSpeech();
  const { profile } = shown.whom;
  const address = profile ? lines(nameOf(profile, ''), profile.traits?.address) : [];
  return (
    <>
      <Scaled {...A4}>
        <article className="paper">
          <p className="paper-from">{shown.from}</p>
          <address>{address.length ? address.map((line) => <span key={line}>{line}</span>) : <span className="paper-none">{t('preview.letter.nobody')}</span>}</address>
          {shown.subject && <h3>{shown.subject}</h3>}
          <div className="paper-text">{blocks(shown.body).map((block, index) => <Block key={index} block={block} />)}</div>
        </article>
      </Scaled>
      <p className="note">{t('preview.letter.note')}</p>
    </>
  );
}

function Block({ block }: { block: string }) {
  if (block.startsWith('# ')) return <h4>{block.slice(2)}</h4>;
  if (block.startsWith('- ')) return <ul>{block.split('\n').map((line, index) => <li key={index}>{line.replace(/^- /, '')}</li>)}</ul>;
  return <p>{block}</p>;
}

/** An empty line parts paragraphs, `# ` begins a heading, `- ` an item, as in the print (paper/draw.py). */
const blocks = (body: string): string[] => body.replaceAll('\r', '').replace(/^(# .*)$/gm, '\n$1\n').split(/\n\s*\n/).map((block) => block.trim()).filter(Boolean);

/** From the name to the town; in Japan the other way round (paper/address.py). */
function lines(name: string, address: Json | undefined): string[] {
  const said = fields(address);
  const of = (...keys: string[]): string => keys.map((key) => text(said[key])).find(Boolean) ?? '';
  const [company, who] = [of('company'), of('name') || name];
  const [street, more] = [of('line1', 'street'), of('line2')];
  const [code, city, region] = [of('postal_code', 'postalCode'), of('city'), of('region', 'state')];
  const found = of('country') === 'JP'
    ? [code && `〒${code}`, region + city + street, more, company, who && `${who} 様`]
    : [company, who, street, more, [code, city, region].filter(Boolean).join(' ')];
  return Object.keys(said).length ? [...new Set(found.filter(Boolean))] : [];
}
