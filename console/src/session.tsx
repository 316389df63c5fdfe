import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import { api, lookAt, type Me, Problem, signedOut, type Workspace } from './api';
import { forgetAll } from './load';
import { mayLeave, navigate } from './router';

export type Where = 'starting' | 'setup' | 'sign-in' | 'inside' | 'unreachable';
interface Session {
  where: Where; me: Me | undefined; workspace: Workspace | undefined; problem: Problem | undefined; needsSetup: boolean;
  begin: (signedIn?: boolean) => Promise<void>; choose: (id: string) => void; leave: () => Promise<void>;
}
const Context = createContext<Session | null>(null);
const CHOSEN = 'kizuna.workspace';
const BEEN_HERE = 'kizuna.signed_in'; // without it there is no session to ask about, and a 401 would only alarm

/** Who is here, and which workspace they look at. Every request carries that workspace. */
export function Sessions({ children }: { children: ReactNode }) {
  const [where, setWhere] = useState<Where>('starting');
  const [me, setMe] = useState<Me>();
  const [chosen, setChosen] = useState(localStorage.getItem(CHOSEN) ?? '');
  const [needsSetup, setNeedsSetup] = useState(false);
  const [problem, setProblem] = useState<Problem>();

  const begin = useCallback(async (signedIn = false) => {
    setProblem(undefined);
    try {
      const { needs_setup, signed_in } = await api.state();
      setNeedsSetup(needs_setup);
      if (needs_setup) return setWhere('setup');
      if (!signedIn && !(signed_in ?? localStorage.getItem(BEEN_HERE) !== null)) return setWhere('sign-in');
      setMe(await api.me());
      localStorage.setItem(BEEN_HERE, '1');
      setWhere('inside');
    } catch (error) {
      if (error instanceof Problem && error.status === 401) {
        localStorage.removeItem(BEEN_HERE);
        return setWhere('sign-in');
      }
      setProblem(error instanceof Problem ? error : new Problem(0, 'offline', ''));
      setWhere('unreachable');
    }
  }, []);

  useEffect(() => { void begin(); }, [begin]);
  useEffect(() => {
    const hear = (): void => { setMe(undefined); setWhere('sign-in'); };
    signedOut.addEventListener('signed-out', hear);
    return () => signedOut.removeEventListener('signed-out', hear);
  }, []);

  const workspace = me?.workspaces.find((one) => one.id === chosen) ?? me?.workspaces.find((one) => one.name === 'demo') ?? me?.workspaces[0];
  lookAt(workspace?.id ?? '');

  const session = useMemo<Session>(() => ({
    where, me, workspace, problem, needsSetup, begin,
    choose: (id) => {
      if (!mayLeave()) return;
      localStorage.setItem(CHOSEN, id);
      forgetAll();
      setChosen(id);
      navigate('/');
    },
    leave: async () => {
      if (!mayLeave()) return;
      await api.signOut().catch(() => null);
      forgetAll();
      localStorage.removeItem(BEEN_HERE);
      setMe(undefined);
      setWhere('sign-in');
      navigate('/');
    },
  }), [where, me, workspace, problem, needsSetup, begin]);
  return <Context value={session}>{children}</Context>;
}

export function useSession(): Session {
  const session = useContext(Context);
  if (!session) throw new Error('outside of <Sessions>');
  return session;
}

/** The workspace of a page inside the shell, where there always is one. */
export function useWorkspace(): Workspace {
  const { workspace } = useSession();
  if (!workspace) throw new Error('no workspace');
  return workspace;
}
