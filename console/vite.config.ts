import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The built console is plain files under one origin: nothing inlined as data:, so a strict policy can serve it.
export default defineConfig({
  plugins: [react()],
  html: { cspNonce: '__CSP_NONCE__' }, // the server writes a fresh one into every page (edge/console.py)
  build: {
    outDir: '../src/kizuna/console',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: 'es2022',
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
  },
  server: {
    port: 8701,
    proxy: { '/api': process.env.KIZUNA_URL ?? 'http://127.0.0.1:8700' },
  },
});
