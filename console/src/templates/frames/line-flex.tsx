/** Flex messages: boxes of LINE's own layout (https://developers.line.biz/en/reference/messaging-api/#flex-message), drawn near enough to judge them. */
import type { CSSProperties, ReactNode } from 'react';
import type { Fields, Json } from '../../api';
import { fields, list, text } from '../draft';
import { Picture } from './device';

const SIZES: Record<string, number> = { xxs: 11, xs: 13, sm: 14, md: 16, lg: 19, xl: 22, xxl: 29, '3xl': 35, '4xl': 48, '5xl': 74 };
const GAPS: Record<string, number> = { none: 0, xs: 2, sm: 4, md: 8, lg: 12, xl: 16, xxl: 20 };
const WIDTHS: Record<string, number> = { nano: 120, micro: 160, deca: 220, hecto: 241, kilo: 260, mega: 280, giga: 300 };
const ALIGN: Record<string, CSSProperties['alignItems']> = { start: 'start', center: 'center', end: 'end', 'flex-start': 'start', 'flex-end': 'end' };
const DEEPEST = 20;

export function Flex({ contents }: { contents: Fields }) {
  if (contents.type === 'carousel') return <div className="line-carousel">{list(contents.contents).map((one, index) => <Bubble key={index} bubble={fields(one)} />)}</div>;
  return <Bubble bubble={contents} />;
}

function Bubble({ bubble }: { bubble: Fields }) {
  const styles = fields(bubble.styles);
  const block = (name: string, padding: string): ReactNode => bubble[name] === undefined ? null
    : <div className={`flex-${name}`} style={{ backgroundColor: text(fields(styles[name]).backgroundColor), padding }}><Part part={fields(bubble[name])} depth={0} /></div>;
  return (
    <div className="flex-bubble" style={{ width: WIDTHS[text(bubble.size)] ?? 280, direction: bubble.direction === 'rtl' ? 'rtl' : 'ltr' }}>
      {block('header', '20px')}{block('hero', '0')}{block('body', '20px')}{block('footer', '10px')}
    </div>
  );
}

function Part({ part, depth }: { part: Fields; depth: number }): ReactNode {
  if (depth > DEEPEST) return null;
  switch (part.type) {
    case 'box': return <Box box={part} depth={depth} />;
    case 'text': return <p className={part.wrap ? 'flex-text' : 'flex-text flex-text-line'} style={wording(part)}>{list(part.contents).length ? list(part.contents).map((one, index) => <span key={index} style={wording(fields(one))}>{text(fields(one).text)}</span>) : text(part.text)}</p>;
    case 'button': return <span className={`flex-button flex-button-${text(part.style) || 'link'}`} title={text(fields(part.action).uri)} style={part.style === 'link' || !part.style ? { color: text(part.color) } : { backgroundColor: text(part.color) }}>{text(fields(part.action).label)}</span>;
    case 'image':
    case 'video': return <Picture of={text(part.url)} ratio={ratioOf(text(part.aspectRatio))} />;
    case 'icon': return <span className="flex-icon" title={text(part.url)} />;
    case 'separator': return <hr className="flex-separator" style={{ backgroundColor: text(part.color) }} />;
    case 'filler':
    case 'spacer': return <span className="flex-filler" />;
    default: return null;
  }
}

function Box({ box, depth }: { box: Fields; depth: number }) {
  const isColumn = box.layout === 'vertical' || box.layout === undefined;
  const gap = length(box.spacing) ?? 0;
  const style: CSSProperties = {
    flexDirection: isColumn ? 'column' : 'row', gap, backgroundColor: text(box.backgroundColor), borderRadius: length(box.cornerRadius),
    padding: length(box.paddingAll), justifyContent: ALIGN[text(box.justifyContent)] ?? (text(box.justifyContent) || undefined),
    alignItems: box.layout === 'baseline' ? 'baseline' : ALIGN[text(box.alignItems)],
    border: text(box.borderColor) ? `${length(box.borderWidth) ?? 1}px solid ${text(box.borderColor)}` : undefined,
    width: text(box.width) || undefined, height: text(box.height) || undefined,
  };
  return (
    <div className="flex-box" style={style}>
      {list(box.contents).map((one, index) => {
        const part = fields(one);
        const margin = length(part.margin) ?? 0;
        const grow = typeof part.flex === 'number' ? part.flex : isColumn || text(part.type) === 'icon' || text(part.width) ? 0 : 1;
        return <div key={index} className={text(part.position) === 'absolute' ? 'flex-over' : 'flex-part'} style={{ flex: `${grow} ${isColumn ? 0 : 1} ${isColumn || grow === 0 ? 'auto' : '0'}`, [isColumn ? 'marginTop' : 'marginLeft']: margin && margin - (index ? gap : 0) }}><Part part={part} depth={depth + 1} /></div>;
      })}
    </div>
  );
}

const wording = (said: Fields): CSSProperties => ({
  color: text(said.color) || undefined, fontWeight: said.weight === 'bold' ? 700 : undefined, fontStyle: said.style === 'italic' ? 'italic' : undefined,
  fontSize: SIZES[text(said.size)] ?? length(said.size), textAlign: said.align === 'center' || said.align === 'end' ? said.align : undefined,
  textDecorationLine: said.decoration === 'underline' || said.decoration === 'line-through' ? said.decoration : undefined,
});

function length(value: Json | undefined): number | undefined {
  const said = text(value);
  if (said in GAPS) return GAPS[said];
  const pixels = /^(\d+(?:\.\d+)?)px$/.exec(said);
  return pixels ? Number(pixels[1]) : undefined;
}

function ratioOf(said: string): number {
  const [width = 1, height = 1] = said.split(':').map(Number);
  return width > 0 && height > 0 ? width / height : 1;
}
