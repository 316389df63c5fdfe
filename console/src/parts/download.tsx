import { Button } from '@mantine/core';
import { useAct } from '../act';
import { file } from '../api';
import { Problem } from './state';

/** A file of this workspace: a plain link would not say which workspace is meant. */
export function Download({ path, name, children }: { path: string; name: string; children: string }) {
  const { busy, problem, act } = useAct();
  const fetchIt = (): Promise<void> => act(async () => {
    const address = URL.createObjectURL(await file(path));
    const link = Object.assign(document.createElement('a'), { href: address, download: name });
    link.click();
    URL.revokeObjectURL(address);
  });
  return (
    <>
      <Button size="xs" variant="default" loading={busy} onClick={() => void fetchIt()}>{children}</Button>
      {problem && <Problem of={problem} compact />}
    </>
  );
}
