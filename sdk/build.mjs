/** Bundles the client and its service worker; `--sizes` refuses what grew too large. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

const PARTS = [
  { name: 'kizuna', source: 'src/index.ts', most: 10_000 },
  { name: 'kizuna-sw', source: 'src/worker.ts', most: 2_000 },
]; // `most` in bytes, gzipped

const { values } = parseArgs({ options: { outDir: { type: 'string', default: 'dist' }, sizes: { type: 'boolean' } } });

const style = {
  name: 'style',
  load: (/** @type {string} */ id) =>
    id.endsWith('.css')
      ? { code: `export default ${JSON.stringify(tight(readFileSync(id, 'utf8')))}`, moduleType: 'js' }
      : null,
};

mkdirSync(values.outDir, { recursive: true });
for (const { name, source, most } of PARTS) {
  const transform = { target: 'es2022' };
  const bundle = await rolldown({ input: source, plugins: [style], platform: 'browser', transform });
  const { output } = await bundle.generate({ format: 'iife', minify: true });
  await bundle.close();
  const bytes = Buffer.from(output[0].code.replaceAll('/* @__PURE__ */ ', '')); // for bundlers, and none comes after us
  writeFileSync(`${values.outDir}/${name}.js`, bytes);
  const packed = gzipSync(bytes, { level: 6 }).length; // as the server packs it
  console.log(`${name}.js: ${bytes.length} bytes, ${packed} gzipped, at most ${most}`);
  if (values.sizes && packed > most) process.exitCode = 1;
}

/** Style rules (text) without the space that only readers need. */
function tight(css) {
  return css.replace(/\s+/g, ' ').replace(/ ?([{};,]) ?/g, '$1').replace(/;}/g, '}').replace(/: /g, ':').trim();
}
