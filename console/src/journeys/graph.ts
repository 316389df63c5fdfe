/** A journey as nodes and edges, and where to draw them: layers from top to bottom, crossings reduced by barycentres. */
import type { Fields, Json, JourneyDefinition, Step } from '../api';
import { plain, span } from '../format';
import type { Speech } from '../i18n';
import { kindOf, ruleWords, trigger } from './words';

export interface Edge { from: string; to: string; label: string }
export interface Point { x: number; y: number }
export interface Drawn { places: Map<string, Point>; routes: Map<Edge, Point[]>; width: number; height: number }

export const ENTRY = '\u0000entry';
export const END = '\u0000end';
export const NODE = { width: 232, height: 96, gapX: 40, gapY: 64 };

const object = (value: Json | undefined): Fields => typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
const list = (value: Json | undefined): Fields[] => Array.isArray(value) ? value.map(object) : [];

/** Which step leads where, with the words that stand on the line. */
export function edgesOf(definition: JourneyDefinition, speech: Speech): Edge[] {
  const steps = definition.steps ?? [];
  const known = new Set(steps.map((step) => step.id));
  const place = (name: Json | undefined, otherwise: string): string => name === undefined || name === null ? otherwise : known.has(plain(name)) ? plain(name) : END;
  const edges: Edge[] = [{ from: ENTRY, to: steps[0]?.id ?? END, label: '' }];
  steps.forEach((step, index) => {
    const following = place(step.next, steps[index + 1]?.id ?? END);
    for (const [name, label] of ways(step, following, speech)) edges.push({ from: step.id, to: place(name, following), label });
  });
  return merged(edges);
}

function ways(step: Step, following: string, speech: Speech): [Json | undefined, string][] {
  const { t } = speech;
  switch (kindOf(step)) {
    case 'wait_for': return [...list(step.wait_for).map((one): [Json | undefined, string] => [one.next, trigger(one, speech, true)]),
      [step.else, t('edge.timeout', { span: span(plain(step.timeout ?? '7d'), t) })]];
    case 'branch': return [...list(step.branch).map((one): [Json | undefined, string] => [one.next, ruleWords(object(one.when), speech)]), [step.else, t('edge.else')]];
    case 'split': {
      const total = list(step.split).reduce((sum, arm) => sum + Number(arm.weight ?? 0), 0) || 100;
      return list(step.split).map((arm) => [arm.next, `${Math.round(1000 * Number(arm.weight ?? 0) / total) / 10} %`]);
    }
    default: return [[following === END ? 'end' : following, '']];
  }
}

/** Two ways from one step to the same next one are drawn as one line with both words. */
function merged(edges: Edge[]): Edge[] {
  const joined = new Map<string, Edge>();
  for (const edge of edges) {
    const key = `${edge.from}\u0001${edge.to}`;
    const before = joined.get(key);
    joined.set(key, before ? { ...before, label: [before.label, edge.label].filter(Boolean).join(' / ') } : edge);
  }
  return [...joined.values()];
}

export function layout(names: string[], edges: Edge[]): Drawn {
  const back = backEdges(names, edges);
  const rank = ranks(names, edges.filter((edge) => !back.has(edge)));
  // Long edges get a stand-in in every layer they cross, so that they are drawn around nodes, not through them.
  const layers: string[][] = [];
  const up = new Map<string, string[]>();
  const down = new Map<string, string[]>();
  const chains = new Map<Edge, string[]>();
  const put = (name: string, layer: number): void => { (layers[layer] ??= []).push(name); };
  const tie = (a: string, b: string): void => { down.set(a, [...(down.get(a) ?? []), b]); up.set(b, [...(up.get(b) ?? []), a]); };
  for (const name of names) put(name, rank.get(name) ?? 0);
  edges.forEach((edge, index) => {
    const [first, last] = [rank.get(edge.from) ?? 0, rank.get(edge.to) ?? 0];
    const chain = [edge.from];
    for (let layer = first + 1; layer < last; layer++) {
      const stand = `\u0000${index}:${layer}`;
      put(stand, layer);
      chain.push(stand);
    }
    chain.push(edge.to);
    if (!back.has(edge)) chain.slice(1).forEach((name, at) => tie(chain[at] ?? '', name));
    chains.set(edge, chain);
  });
  const filled = layers.map((layer) => layer ?? []);
  order(filled, up, down);
  const x = columns(filled, up, down);
  return drawn(filled, x, names, chains);
}

function backEdges(names: string[], edges: Edge[]): Set<Edge> {
  const back = new Set<Edge>();
  const state = new Map<string, 'open' | 'done'>();
  const visit = (name: string): void => {
    state.set(name, 'open');
    for (const edge of edges) {
      if (edge.from !== name) continue;
      if (state.get(edge.to) === 'open') back.add(edge);
      else if (!state.has(edge.to)) visit(edge.to);
    }
    state.set(name, 'done');
  };
  for (const name of names) if (!state.has(name)) visit(name);
  return back;
}

function ranks(names: string[], edges: Edge[]): Map<string, number> {
  const rank = new Map(names.map((name) => [name, 0]));
  for (let pass = 0; pass < names.length; pass++) {
    let moved = false;
    for (const { from, to } of edges) {
      const least = (rank.get(from) ?? 0) + 1;
      if ((rank.get(to) ?? 0) < least) { rank.set(to, least); moved = true; }
    }
    if (!moved) break;
  }
  return rank;
}

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function order(layers: string[][], up: Map<string, string[]>, down: Map<string, string[]>): void {
  for (let sweep = 0; sweep < 6; sweep++) {
    const ties = sweep % 2 ? down : up;
    const turn = sweep % 2 ? [...layers].reverse() : layers;
    const at = new Map(layers.flatMap((layer) => layer.map((name, index): [string, number] => [name, index - (layer.length - 1) / 2])));
    for (const layer of turn) {
      const wish = new Map(layer.map((name): [string, number] => {
        const near = (ties.get(name) ?? []).map((other) => at.get(other) ?? 0);
        return [name, near.length ? mean(near) : at.get(name) ?? 0];
      }));
      layer.sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0));
      layer.forEach((name, index) => at.set(name, index - (layer.length - 1) / 2));
    }
  }
}

function columns(layers: string[][], up: Map<string, string[]>, down: Map<string, string[]>): Map<string, number> {
  const step = NODE.width + NODE.gapX;
  const x = new Map(layers.flatMap((layer) => layer.map((name, index): [string, number] => [name, (index - (layer.length - 1) / 2) * step])));
  for (let pass = 0; pass < 8; pass++) {
    const ties = pass % 2 ? down : up;
    for (const layer of pass % 2 ? [...layers].reverse() : layers) {
      const wish = layer.map((name) => {
        const near = (ties.get(name) ?? []).map((other) => x.get(other) ?? 0);
        return near.length ? mean(near) : x.get(name) ?? 0;
      });
      const left: number[] = [];
      wish.forEach((value, index) => left.push(index ? Math.max(value, (left[index - 1] ?? 0) + step) : value));
      const shift = mean(wish.map((value, index) => value - (left[index] ?? 0)));
      layer.forEach((name, index) => x.set(name, (left[index] ?? 0) + shift));
    }
  }
  return x;
}

function drawn(layers: string[][], x: Map<string, number>, names: string[], chains: Map<Edge, string[]>): Drawn {
  const places = new Map<string, Point>();
  layers.forEach((layer, index) => layer.forEach((name) => places.set(name, { x: x.get(name) ?? 0, y: index * (NODE.height + NODE.gapY) })));
  const all = [...places.values()].map((place) => place.x);
  const least = Math.min(...all);
  for (const place of places.values()) place.x -= least;
  const routes = new Map<Edge, Point[]>();
  for (const [edge, chain] of chains) {
    routes.set(edge, chain.slice(1, -1).flatMap((stand) => {
      const place = places.get(stand);
      const middle = (place?.x ?? 0) + NODE.width / 2;
      return place ? [{ x: middle, y: place.y }, { x: middle, y: place.y + NODE.height }] : [];
    }));
  }
  const shown = names.map((name) => places.get(name) ?? { x: 0, y: 0 });
  return {
    places, routes,
    width: Math.max(...shown.map((place) => place.x)) + NODE.width,
    height: Math.max(...shown.map((place) => place.y)) + NODE.height,
  };
}
