import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';
import { en } from './en';
import { ja } from './ja';

export type Key = keyof typeof en;
export type Language = 'en' | 'ja';
export type Translate = (key: Key, values?: Record<string, string | number>) => string;
export interface Speech { language: Language; t: Translate; maybe: (key: string, fallback: string) => string; speak: (language: Language) => void }

const words: Record<Language, Record<string, string>> = { en, ja };
const Context = createContext<Speech | null>(null);

const preferred = (): Language => {
  const chosen = localStorage.getItem('kizuna.language');
  if (chosen === 'en' || chosen === 'ja') return chosen;
  for (const language of navigator.languages) {
    if (language.startsWith('ja')) return 'ja';
    if (language.startsWith('en')) return 'en';
  }
  return 'en';
};

const filled = (text: string, values: Record<string, string | number>): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));

export function Speaking({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(preferred);
  useEffect(() => { document.documentElement.lang = language; }, [language]);
  const speech = useMemo<Speech>(() => ({
    language,
    t: (key, values = {}) => filled(words[language][key] ?? key, values),
    maybe: (key, fallback) => words[language][key] ?? fallback,
    speak: (next) => { localStorage.setItem('kizuna.language', next); setLanguage(next); },
  }), [language]);
  return <Context value={speech}>{children}</Context>;
}

export function useSpeech(): Speech {
  const speech = useContext(Context);
  if (!speech) throw new Error('outside of <Speaking>');
  return speech;
}
