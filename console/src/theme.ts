import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

// 茜 (akane), the madder red of the thread that ties people: the one accent.
const akane: MantineColorsTuple = ['#fbf0f0', '#f3dcdd', '#e7b6b9', '#da8e93', '#cf6b72', '#c24f5a', '#b23a48', '#9a2f3c', '#832632', '#6c1d28'];

export const theme = createTheme({
  colors: { akane },
  primaryColor: 'akane',
  primaryShade: { light: 6, dark: 5 },
  defaultRadius: 'md',
  fontFamily: 'var(--sans)',
  fontFamilyMonospace: 'var(--mono)',
  headings: { fontFamily: 'var(--serif)' },
  focusRing: 'auto',
  respectReducedMotion: true,
});

// Mantine's own surfaces follow our tokens, so light and dark are defined once (style/tokens.css).
const shared = {
  '--mantine-color-body': 'var(--paper)', '--mantine-color-text': 'var(--ink)', '--mantine-color-dimmed': 'var(--ink-2)',
  '--mantine-color-default': 'var(--surface)', '--mantine-color-default-hover': 'var(--wash)', '--mantine-color-default-color': 'var(--ink)',
  '--mantine-color-default-border': 'var(--line-2)', '--mantine-color-placeholder': 'var(--ink-3)', '--mantine-color-error': 'var(--warn)',
};
export const variables: CSSVariablesResolver = () => ({ variables: {}, light: shared, dark: shared });
