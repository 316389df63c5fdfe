/** A mail made harmless to look at: nothing runs, nothing is fetched, nothing can be followed, so no open or click is counted. */
const HELD = 'data-inline'; // a style attribute as text: parsing the real one would already ask the policy, as would a handler
const GONE = 'script, link, iframe, object, embed, base, meta, form, input, button, video, audio, source, svg';

/** The frame inherits our policy, so every style of the mail goes into sheets that carry our nonce. */
export function harmless(body: string, imageWord: string, nonce: string): string {
  const inline: string[] = [];
  const html = /<[a-z][\s\S]*>/i.test(body) ? body : `<pre>${escaped(body)}</pre>`;
  const page = new DOMParser().parseFromString(held(html, nonce), 'text/html');
  for (const node of page.querySelectorAll(GONE)) node.remove();
  for (const node of page.querySelectorAll('*')) {
    for (const { name, value } of [...node.attributes]) {
      if (name.startsWith('on') || name === 'srcset' || name === 'background' || name === 'ping') node.removeAttribute(name);
      else if (name === HELD) {
        node.removeAttribute(HELD);
        node.setAttribute('data-style', String(inline.push(calm(value)) - 1));
      }
    }
  }
  for (const style of page.querySelectorAll('style')) style.textContent = calm(style.textContent ?? '');
  for (const link of page.querySelectorAll('a[href], area[href]')) {
    link.setAttribute('title', link.getAttribute('href') ?? '');
    link.removeAttribute('href');
    link.setAttribute('data-link', '');
  }
  for (const image of page.querySelectorAll('img')) {
    if (image.getAttribute('src')?.startsWith('data:image/')) continue;
    const width = sizeOf(image, 'width');
    const height = sizeOf(image, 'height');
    if (Math.min(width ?? 2, height ?? 2) <= 1) image.remove(); // a pixel that counts opens
    else image.setAttribute('src', stand(width ?? 560, height ?? Math.round((width ?? 560) / 3), image.getAttribute('alt') || imageWord));
  }
  const frame = page.createElement('style');
  frame.setAttribute('nonce', nonce);
  frame.textContent = 'body{margin:20px;font-family:system-ui,"Hiragino Sans","Yu Gothic UI","Noto Sans CJK JP",sans-serif;line-height:1.6;color:#222;background:#fff;overflow-wrap:anywhere}pre{white-space:pre-wrap;font:inherit;margin:0}[data-link]{color:#9a2f3c;text-decoration:underline}img,table{max-width:100%}';
  page.head.prepend(frame);
  // Two ids that exist nowhere lift a rule above those of the mail's own sheets, as an inline style stands above them.
  const lifted = page.createElement('style');
  lifted.setAttribute('nonce', nonce);
  lifted.textContent = inline.map((style, index) => `[data-style="${index}"]:not(#a):not(#b){${style.replace(/[{}<]/g, '')}}`).join('');
  page.head.append(lifted);
  return `<!doctype html>${page.documentElement.outerHTML}`;
}

const calm = (style: string): string => style.replace(/@import[^;]*;?/gi, '').replace(/@font-face\s*\{[^}]*\}/gi, '').replace(/url\(\s*(?!["']?data:image\/)[^)]*\)/gi, 'none');
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const held = (html: string, nonce: string): string => html
  .replace(/<base\b/gi, '<i data-base')
  .replace(/<[a-z][^>]*>/gi, (tag) => tag.replace(/\sstyle(\s*=)/gi, ` ${HELD}$1`).replace(/([\s/"'])on(?=[a-z]+\s*=)/gi, '$1data-on'))
  .replace(/<style/gi, `<style nonce="${nonce}"`);

function sizeOf(image: Element, side: 'width' | 'height'): number | undefined {
  const said = /^\d+/.exec(image.getAttribute(side)?.replace(/.*%$/, '') ?? '');
  return said ? Number(said[0]) : undefined;
}

/** A grey picture as large as the real one, with its words: where it will be is seen, and nothing is fetched. */
function stand(width: number, height: number, words: string): string {
  const size = Math.max(9, Math.min(15, height / 3, 1.6 * width / Math.max(6, words.length)));
  const said = `<text x="50%" y="50%" dy=".35em" text-anchor="middle" font-family="sans-serif" font-size="${size}" fill="#776c5f">${escaped(words)}</text>`;
  return `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#e9e2d8"/>${said}</svg>`)}`;
}
