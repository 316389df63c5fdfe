import type { ReactNode } from 'react';
import type { Fields } from '../../api';
import { useSpeech } from '../../i18n';
import { fields, list, text } from '../draft';
import type { Shown } from '../preview';
import { Face, Phone, Picture } from './device';
import { Flex } from './line-flex';
import { jsonBody } from './json-body';

const MOST = 5; // messages of one push

/** A chat with the account on LINE: words, stickers, pictures, templates with buttons, flex messages. */
export function LineFrame({ shown }: { shown: Shown }) {
  const { t } = useSpeech();
  const found = jsonBody(shown.body);
  const messages: Fields[] = found ?? (shown.body.trim() ? [{ type: 'text', text: shown.body.trim() }] : []);
  const quick = list(fields(messages.at(-1)?.quickReply).items).map((one) => fields(fields(one).action));
  if (found === undefined) return <p role="alert" className="aborted">{t('preview.broken_json')}</p>;
  return (
    <>
      <Phone kind="line">
        <header className="chat-head"><span aria-hidden="true">‹</span><b>{shown.from}</b></header>
        <div className="chat">
          <p className="chat-time">{t('preview.today')}</p>
          {messages.map((message, index) => (
            <div key={index} className="line-row">
              <Face name={shown.from} />
              <div>{index === 0 && <small>{shown.from}</small>}<Message message={message} /></div>
            </div>
          ))}
        </div>
        {quick.length > 0 && <p className="line-quick">{quick.map((action, index) => <span key={index}>{text(action.label)}</span>)}</p>}
      </Phone>
      {messages.length > MOST && <p className="note">{t('preview.line.most', { n: MOST })}</p>}
    </>
  );
}

function Message({ message }: { message: Fields }): ReactNode {
  const { t } = useSpeech();
  switch (message.type) {
    case 'text':
    case 'textV2': return <p className="bubble">{text(message.text)}</p>;
    case 'image': return <Picture of={text(message.previewImageUrl) || text(message.originalContentUrl)} ratio={1.3} />;
    case 'video': return <span className="line-video"><Picture of={text(message.originalContentUrl)} ratio={1.6} /><i aria-hidden="true">▶</i></span>;
    case 'imagemap': return <Picture of={text(message.altText) || text(message.baseUrl)} ratio={ratioOf(fields(message.baseSize))} />;
    case 'sticker': return <span className="line-sticker">{t('preview.line.sticker')} {text(message.packageId)}/{text(message.stickerId)}</span>;
    case 'template': return <Template template={fields(message.template)} />;
    case 'flex': return <Flex contents={fields(message.contents)} />;
    default: return <p className="bubble bubble-other">{text(message.altText) || text(message.title) || text(message.type)}</p>;
  }
}

const ratioOf = ({ width, height }: Fields): number => typeof width === 'number' && typeof height === 'number' && height > 0 ? width / height : 1;

function Template({ template }: { template: Fields }) {
  const columns = list(template.columns).map(fields);
  if (template.type === 'image_carousel') return <div className="line-carousel">{columns.map((one, index) => <div key={index} className="line-card line-card-image"><Picture of={text(one.imageUrl)} ratio={1} /><Actions actions={[fields(one.action)]} /></div>)}</div>;
  if (template.type === 'carousel') return <div className="line-carousel">{columns.map((one, index) => <Card key={index} card={one} />)}</div>;
  return <Card card={template} />;
}

const Card = ({ card }: { card: Fields }) => (
  <div className="line-card">
    {text(card.thumbnailImageUrl) && <Picture of={text(card.thumbnailImageUrl)} ratio={card.imageAspectRatio === 'square' ? 1 : 1.51} />}
    <div className="line-card-said">{text(card.title) && <b>{text(card.title)}</b>}<p>{text(card.text)}</p></div>
    <Actions actions={list(card.actions).map(fields)} />
  </div>
);

const Actions = ({ actions }: { actions: Fields[] }) => <p className="line-actions">{actions.map((action, index) => <span key={index} title={text(action.uri) || text(action.text) || text(action.data)}>{text(action.label)}</span>)}</p>;
