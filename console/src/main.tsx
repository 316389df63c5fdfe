import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import './style/mantine';
import './style/tokens.css';
import './style/base.css';
import './style/shell.css';
import './style/parts.css';
import './style/features.css';
import { App } from './app';
import { Speaking } from './i18n';
import { nonce } from './nonce';
import { Sessions } from './session';
import { theme, variables } from './theme';

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <MantineProvider getStyleNonce={() => nonce} theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto" colorSchemeManager={localStorageColorSchemeManager({ key: 'kizuna.scheme' })}>
        <Speaking><Sessions><App /></Sessions></Speaking>
      </MantineProvider>
    </StrictMode>,
  );
}
