import type { ReactNode } from 'react';
import type { Fields } from '../../api';
import { useSpeech } from '../../i18n';
import { fields, list, text } from '../draft';
import type { Shown } from '../preview';
import { Face, Phone, Picture } from './device';
import { jsonBody } from './json-body';

/** A chat on WhatsApp: words with their marks, pictures, buttons; of a template that Meta approved, what fills it. */
export function WhatsAppFrame({ shown }: { shown: Shown }) {
  const { t } = useSpeech();
  const found = jsonBody(shown.body);
  if (found === undefined || (found && found.length > 1)) return <p role="alert" className="aborted">{t('preview.broken_json')}</p>;
  const message = found?.[0];
  return (
    <>
      <Phone kind="whatsapp" status="light">
        <header className="chat-head"><span aria-hidden="true">‹</span><Face name={shown.from} /><b>{shown.from}</b></header>
        <div className="chat">
          <p className="chat-time">{t('preview.today')}</p>
          {message ? <Message message={message} /> : shown.body.trim() && <div className="bubble"><Words said={shown.body.trim()} /><Time /></div>}
        </div>
      </Phone>
      {message?.type === 'template' && <p className="note">{t('preview.whatsapp.template')}</p>}
    </>
  );
}

const Time = () => <time className="bubble-time">9:41</time>;

function Message({ message }: { message: Fields }): ReactNode {
  const said = fields(message[text(message.type)]);
  switch (message.type) {
    case 'text': return <div className="bubble"><Words said={text(said.body)} /><Time /></div>;
    case 'image':
    case 'video':
    case 'document': return <div className="bubble bubble-media"><Picture of={text(said.link) || text(said.filename) || text(said.id)} ratio={message.type === 'document' ? 4 : 1.6} />{text(said.caption) && <Words said={text(said.caption)} />}<Time /></div>;
    case 'interactive': return <Interactive said={said} />;
    case 'template': return <Approved said={said} />;
    default: return <p className="bubble bubble-other">{text(message.type)}</p>;
  }
}

function Interactive({ said }: { said: Fields }) {
  const action = fields(said.action);
  const buttons = list(action.buttons).map((one) => text(fields(fields(one).reply).title)).concat(text(action.button) || text(fields(action.parameters).display_text) || []);
  return (
    <>
      <div className="bubble">
        {text(fields(said.header).text) && <b>{text(fields(said.header).text)}</b>}
        <Words said={text(fields(said.body).text)} />
        {text(fields(said.footer).text) && <small>{text(fields(said.footer).text)}</small>}
        <Time />
      </div>
      <p className="wa-buttons">{buttons.map((label) => <span key={label}>{label}</span>)}</p>
    </>
  );
}

/** The words stand with Meta; here are their name and what is put into them. */
function Approved({ said }: { said: Fields }) {
  const { t } = useSpeech();
  const parts = list(said.components).map(fields);
  return (
    <div className="bubble">
      <b>{t('preview.whatsapp.approved', { name: text(said.name) })}</b>
      <small>{text(fields(said.language).code)}</small>
      {parts.map((part, index) => (
        <dl key={index} className="wa-parts">
          <dt>{text(part.type)}{text(part.sub_type) && ` · ${text(part.sub_type)}`}</dt>
          {list(part.parameters).map(fields).map((one, at) => <dd key={at}><span>{`{{${at + 1}}}`}</span> {text(one.text) || text(one.payload) || text(fields(one[text(one.type)]).link) || text(one.type)}</dd>)}
        </dl>
      ))}
      <Time />
    </div>
  );
}

const MARKS: [RegExp, (inside: ReactNode, key: number) => ReactNode][] = [
  [/```([\s\S]+?)```/, (inside, key) => <code key={key}>{inside}</code>],
  [/(?<![\w*])\*(\S(?:[^*\n]*\S)?)\*(?![\w*])/, (inside, key) => <b key={key}>{inside}</b>],
  [/(?<![\w_])_(\S(?:[^_\n]*\S)?)_(?![\w_])/, (inside, key) => <i key={key}>{inside}</i>],
  [/(?<![\w~])~(\S(?:[^~\n]*\S)?)~(?![\w~])/, (inside, key) => <s key={key}>{inside}</s>],
];

/** *bold*, _italic_, ~struck~ and ```code``` as WhatsApp shows them. */
const Words = ({ said }: { said: string }) => <p className="bubble-words">{marked(said)}</p>;

function marked(said: string): ReactNode[] {
  const first = MARKS.map(([pattern, show]) => ({ found: pattern.exec(said), show })).filter((one) => one.found).sort((a, b) => (a.found?.index ?? 0) - (b.found?.index ?? 0))[0];
  if (!first?.found) return [said];
  const { found, show } = first;
  const end = found.index + found[0].length;
  const inside = found[0].startsWith('```') ? found[1] : marked(found[1] ?? '');
  return [said.slice(0, found.index), show(inside, end), ...marked(said.slice(end))];
}
