import { Background, BackgroundVariant, BaseEdge, type Edge as FlowEdge, EdgeLabelRenderer, type EdgeProps, Handle, type Node, type NodeProps, Position, ReactFlow } from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { Fields, Journey, Json, StepCounts } from '../api';
import { number } from '../format';
import { useSpeech } from '../i18n';
import { Icon, type IconName } from '../parts/icon';
import { edgesOf, END, ENTRY, layout, NODE, type Point } from './graph';
import { kindOf, stepWords, trigger } from './words';

interface Shown extends Record<string, unknown> { kind: 'entry' | 'step' | 'end'; icon: IconName; title: string; detail: string; counts?: StepCounts; number?: number }
type ShownNode = Node<Shown, 'step'>;
type ShownEdge = FlowEdge<{ route: Point[]; label: string }, 'thread'>;

const icons: Record<string, IconName> = { delay: 'wait', wait_for: 'ear', send: 'outbox', branch: 'branch', split: 'dice', bandit: 'dice', update: 'pen', emit: 'bolt', enter: 'journeys', webhook: 'bolt' };
const EDGE = 28; // room around the drawing
const LEAST = 0.72; // smaller could not be read
const nodeTypes = { step: StepNode };
const edgeTypes = { thread: Thread };
const object = (value: Json | undefined): Fields => typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};

/** The journey as a drawing, top to bottom, with its people on it. */
export default function Map({ of }: { of: Journey }) {
  const speech = useSpeech();
  const { t } = speech;
  const drawing = useMemo(() => {
    const edges = edgesOf(of.definition, speech);
    const names = [ENTRY, ...(of.definition.steps ?? []).map((step) => step.id), END];
    return { edges, ...layout(names, edges) };
  }, [of.definition, speech]);

  const shown = new globalThis.Map<string, Shown>([
    [ENTRY, { kind: 'entry', icon: 'thread', title: trigger(object(object(of.definition.entry).on), speech), detail: '', number: of.counts.entered }],
    ...(of.definition.steps ?? []).map((step): [string, Shown] => [step.id, { kind: 'step', icon: icons[kindOf(step)] ?? 'dot', ...stepWords(step, speech), counts: of.counts.steps?.[step.id] ?? { entered: 0, waiting: 0, left: 0 } }]),
    [END, { kind: 'end', icon: 'check', title: t('journey.end'), detail: '', number: of.counts.completed }],
  ]);
  const nodes: ShownNode[] = [...shown].map(([id, data]) => ({ id, type: 'step', data, position: drawing.places.get(id) ?? { x: 0, y: 0 }, width: NODE.width, height: NODE.height, draggable: false, connectable: false, selectable: false, focusable: false }));
  const edges: ShownEdge[] = drawing.edges.map((edge) => ({ id: `${edge.from}>${edge.to}`, source: edge.from, target: edge.to, type: 'thread', data: { route: drawing.routes.get(edge) ?? [], label: edge.label }, focusable: false, selectable: false }));

  // The drawing is part of the page: it is as large as it needs to be and the page scrolls, also by touch.
  const holder = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState(0);
  useLayoutEffect(() => {
    if (!holder.current) return;
    const watch = new ResizeObserver(([seen]) => setRoom(Math.round(seen?.contentRect.width ?? 0)));
    watch.observe(holder.current);
    return () => watch.disconnect();
  }, []);
  const zoom = Math.max(LEAST, Math.min(1, (room - 2 * EDGE) / drawing.width));
  const width = Math.max(room, drawing.width * zoom + 2 * EDGE);
  const height = drawing.height * zoom + 2 * EDGE;
  const viewport = { x: (width - drawing.width * zoom) / 2, y: EDGE, zoom };
  useLayoutEffect(() => {
    const entry = drawing.places.get(ENTRY);
    if (holder.current && entry && width > room) holder.current.scrollLeft = viewport.x + (entry.x + NODE.width / 2) * zoom - room / 2;
  }, [room, drawing]);
  return (
    <div className="map" ref={holder} tabIndex={0} role="region" aria-label={t('journey.map')}>
      {room > 0 && (
        <div style={{ width, height }}>
          <ReactFlow nodes={nodes} edges={edges} nodeTypes={nodeTypes} edgeTypes={edgeTypes} viewport={viewport} minZoom={LEAST} maxZoom={1} panOnDrag={false} panOnScroll={false}
            zoomOnPinch={false} zoomOnScroll={false} zoomOnDoubleClick={false} preventScrolling={false} nodesDraggable={false} nodesConnectable={false} nodesFocusable={false} edgesFocusable={false} elementsSelectable={false} disableKeyboardA11y>
            <Background variant={BackgroundVariant.Dots} gap={22} size={1.4} />
          </ReactFlow>
        </div>
      )}
    </div>
  );
}

function StepNode({ data }: NodeProps<ShownNode>) {
  const { t, language } = useSpeech();
  return (
    <div className={`node node-${data.kind}`}>
      <Handle type="target" position={Position.Top} isConnectable={false} />
      <p className="node-title"><Icon name={data.icon} size={18} /><b title={data.title}>{data.title}</b></p>
      {data.detail && <p className="node-detail" title={data.detail}>{data.detail}</p>}
      {data.counts && (
        <p className="node-counts"><span>{t('journey.entered')} <b>{number(data.counts.entered, language)}</b></span>
          {data.counts.waiting > 0 && <span className="node-waiting">{t('journey.waiting')} <b>{number(data.counts.waiting, language)}</b></span>}</p>
      )}
      {data.number !== undefined && <p className="node-counts"><span>{t(data.kind === 'entry' ? 'journey.entered' : 'journey.completed')} <b>{number(data.number, language)}</b></span></p>}
      <Handle type="source" position={Position.Bottom} isConnectable={false} />
    </div>
  );
}

/** A line that bends through its waypoints; its words stand just below where it begins to part from the others. */
function Thread({ id, sourceX, sourceY, targetX, targetY, data }: EdgeProps<ShownEdge>) {
  const points = [{ x: sourceX, y: sourceY }, ...(data?.route ?? []), { x: targetX, y: targetY }];
  let path = `M${sourceX},${sourceY}`;
  points.slice(1).forEach((point, index) => {
    const from = points[index] ?? point;
    const middle = (from.y + point.y) / 2;
    path += ` C${from.x},${middle} ${point.x},${middle} ${point.x},${point.y}`;
  });
  const next = points[1] ?? { x: targetX, y: targetY };
  const label = { x: (sourceX + 2 * next.x) / 3, y: sourceY + (next.y - sourceY) * 0.58 };
  return (
    <>
      <BaseEdge id={id} path={path} />
      {data?.label && <EdgeLabelRenderer><span className="thread-label" title={data.label} style={{ transform: `translate(-50%, -50%) translate(${label.x}px, ${label.y}px)` }}>{data.label}</span></EdgeLabelRenderer>}
    </>
  );
}
