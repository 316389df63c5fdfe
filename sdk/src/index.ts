/** What a page sees of us: `window.kizuna`, and a script element that may carry the options as data attributes. */
import { type Client, openClient, type Options } from './client.ts';

const METHODS = [
  'identify', 'track', 'page', 'reset', 'on', 'optOut', 'optIn', 'refresh', 'cards', 'inbox', 'askForPush', 'stopPush',
] as const; // prettier-ignore

type Methods = Pick<Client, (typeof METHODS)[number]>;

const script = document.currentScript as HTMLScriptElement | null;
const said = { ...script?.dataset } as Partial<Options>;
let client: Client | undefined;

const kizuna = {
  init(options: Partial<Options> = {}): void {
    const host = new URL(script?.src || location.href).origin;
    client ??= openClient({ host, ...said, ...options } as Options);
  },
} as Methods & { init(options?: Partial<Options>): void };

for (const name of METHODS) {
  (kizuna as unknown as Record<string, unknown>)[name] = (...told: unknown[]) => {
    if (!client) throw new Error(`kizuna.init() comes before kizuna.${name}()`);
    return (client[name] as (...told: unknown[]) => unknown)(...told);
  };
}

(window as { kizuna?: typeof kizuna }).kizuna = kizuna;
if (said.writeKey) kizuna.init();
