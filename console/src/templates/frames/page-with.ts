/** A page of a shop with a message in it, as one document for a sandboxed frame. */
import { text } from '../draft';
import type { Shown } from '../preview';

interface Words { shop: string; inbox: string; image: string }

/** `harmless` looks at all of it: the message's own HTML stands in the middle of ours. */
export function pageWith(channel: string, shown: Shown, words: Words): string {
  const { body, page } = shown.rendered.content;
  const buttons = (page?.buttons ?? []).map((button, index) => `<span class="k-button${index ? ' k-second' : ''}" title="${escaped(button.url || button.event)}">${escaped(button.label)}</span>`).join('');
  const image = page?.image ? `<span class="k-image" title="${escaped(page.image)}">${escaped(words.image)}</span>` : '';
  const title = shown.subject ? `<b class="k-title">${escaped(shown.subject)}</b>` : '';
  const said = `${image}<div class="k-said">${title}<div class="k-html">${body}</div>${buttons && `<p class="k-buttons">${buttons}</p>`}</div>`;
  return `<style>${STYLE}</style><div class="s-top"><b>${escaped(words.shop)}</b><i></i><i></i><i></i></div>${placed(channel, said, page?.display ?? {}, words)}`;
}

function placed(channel: string, said: string, display: Record<string, unknown>, words: Words): string {
  const close = display.close === false ? '' : '<span class="k-close">×</span>';
  switch (channel) {
    case 'banner': return `<div class="k-banner">${said}${close}</div>${SHELVES}`;
    case 'card': return `<div class="s-feed"><div class="k-card">${said}</div>${CARD}${CARD}</div>`;
    case 'inbox': return `<div class="s-inbox"><p>${escaped(words.inbox)}</p><div class="k-item">${said}</div>${LINE}${LINE}${LINE}</div>`;
    default: {
      const layout = ['modal', 'slide_up', 'full'].find((one) => one === display.layout) ?? 'modal';
      const position = typeof display.position === 'string' ? text(display.position).replace(/[^a-z_]/g, '') : 'bottom';
      return `${SHELVES}${layout === 'modal' ? '<div class="k-dim"></div>' : ''}<div class="k-${layout} k-at-${position}">${said}${close}</div>`;
    }
  }
}

const escaped = (said: string): string => said.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

const THING = '<div class="s-thing"><i></i><u></u><u></u></div>';
const SHELVES = `<div class="s-hero"></div><div class="s-shelf">${THING.repeat(6)}</div>`;
const CARD = '<div class="s-card"><i></i><u></u><u></u></div>';
const LINE = '<div class="s-line"><u></u><u></u></div>';
const STYLE = `
body{margin:0;min-height:100vh;background:#fff;position:relative;line-height:1.55;font-size:15px}
.s-top{display:flex;align-items:center;gap:10px;padding:14px 18px;border-bottom:1px solid #eee;color:#333}.s-top b{flex:1}.s-top i{width:22px;height:8px;border-radius:4px;background:#e4e4e4}
.s-hero{height:150px;background:linear-gradient(120deg,#eceff3,#dfe5ec)}
.s-shelf{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:16px;padding:18px}
.s-thing i,.s-card i{display:block;height:110px;border-radius:8px;background:#eef0f2}
u{display:block;height:9px;margin-top:9px;border-radius:5px;background:#e9ebee;width:80%}u+u{width:45%}
.s-feed,.s-inbox{max-width:520px;margin:0 auto;padding:18px;display:grid;gap:14px}
.s-card,.k-card{border:1px solid #e6e6e6;border-radius:14px;overflow:hidden}.s-card{padding:14px}
.s-inbox{gap:0}.s-inbox>p{margin:0 0 10px;font-weight:700;font-size:20px}.s-line{padding:14px 4px 18px 26px;border-top:1px solid #eee}
.k-item{position:relative;border-top:1px solid #eee;padding:12px 4px 14px 26px}.k-item::before{content:"";position:absolute;left:6px;top:20px;width:9px;height:9px;border-radius:50%;background:#2f6fde}
.k-said{padding:16px 18px;display:grid;gap:8px}.k-item .k-said{padding:0}.k-item .k-image{height:120px;border-radius:10px;margin-bottom:8px}
.k-title{font-size:18px;line-height:1.35}.k-html>:first-child{margin-top:0}.k-html>:last-child{margin-bottom:0}.k-html{color:#444}
.k-image{display:grid;place-items:center;height:170px;background:linear-gradient(135deg,#e8dfd3,#d9cbb9);color:#6b5b48;font-size:13px}
.k-buttons{display:flex;flex-wrap:wrap;gap:8px;margin:6px 0 0}.k-button{padding:9px 18px;border-radius:99px;background:#222;color:#fff;font-weight:600;font-size:14px}.k-second{background:#eee;color:#222}
.k-close{position:absolute;top:10px;right:10px;width:28px;height:28px;border-radius:50%;background:rgba(255,255,255,.9);color:#333;display:grid;place-items:center;font-size:18px;line-height:1}
.k-dim{position:fixed;inset:0;background:rgba(20,20,25,.5)}
.k-modal,.k-slide_up,.k-full{position:fixed;background:#fff;overflow:auto}
.k-modal{left:50%;top:50%;transform:translate(-50%,-50%);width:min(420px,calc(100% - 48px));max-height:calc(100% - 48px);border-radius:18px;box-shadow:0 20px 60px rgba(0,0,0,.3)}
.k-modal .k-said,.k-full .k-said{text-align:center;padding:22px}.k-modal .k-buttons,.k-full .k-buttons{justify-content:center}
.k-slide_up{left:12px;right:12px;max-width:420px;margin:0 auto;border-radius:16px;box-shadow:0 8px 40px rgba(0,0,0,.25);border:1px solid #eee}
.k-slide_up .k-said{padding-right:48px}.k-slide_up .k-image{height:110px}
.k-at-bottom,.k-at-bottom_left,.k-at-bottom_right{bottom:12px}.k-at-top,.k-at-top_left,.k-at-top_right{top:12px}
.k-at-top_left,.k-at-bottom_left{margin-left:0}.k-at-top_right,.k-at-bottom_right{margin-right:0}
.k-modal.k-at-top,.k-modal.k-at-bottom,.k-modal[class]{bottom:auto;top:50%;margin:0}
.k-full{inset:0!important;max-width:none;margin:0!important;display:grid;align-content:center}.k-full .k-image{height:260px}
.k-banner{position:relative;display:flex;align-items:center;background:#fdf3e4;border-bottom:1px solid #f0dfc4}.k-banner .k-said{flex:1;padding:12px 52px 12px 18px;gap:4px}.k-banner .k-title{font-size:16px}.k-banner .k-image{width:96px;height:76px;flex:none;margin:0}
@media(max-width:500px){.k-banner{align-items:start}.k-banner .k-image{margin:14px 0 0 14px;border-radius:8px;height:64px;width:64px}}
`;
