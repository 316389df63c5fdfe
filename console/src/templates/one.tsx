import { useState } from 'react';
import { api } from '../api';
import { titled } from '../format';
import { useSpeech } from '../i18n';
import { useLoad } from '../load';
import { Page } from '../parts/page';
import { Loading, Problem } from '../parts/state';
import { useQuery } from '../router';
import { useWorkspace } from '../session';
import { blank, documentOf } from './draft';
import { Studio } from './studio';
import '../style/templates.css';

export default function One({ name }: { name: string }) {
  const { t } = useSpeech();
  const space = useWorkspace();
  const asked = useQuery().get('new');
  const [begun] = useState(asked); // saving takes `new` out of the address; what was begun goes on
  const { data, problem, reload } = useLoad(begun ? null : `template ${space.id} ${name}`, (signal) => api.template(name, signal));
  return (
    <Page title={titled(name)} back={{ to: '/templates', name: t('templates.title') }} wide>
      {problem && <Problem of={problem} again={reload} compact={data !== undefined} />}
      {!data && !begun && !problem && <Loading rows={8} />}
      {begun && <Studio name={name} start={blank(begun)} version={0} publishedAt={null} />}
      {data && <Studio key={data.version} name={name} start={documentOf(data)} version={data.version} publishedAt={data.published_at} />}
    </Page>
  );
}
