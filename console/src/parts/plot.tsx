import { useComputedColorScheme } from '@mantine/core';
import { BarChart, LineChart } from 'echarts/charts';
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from 'echarts/components';
import { init, use, type EChartsType } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { useEffect, useRef } from 'react';

use([BarChart, LineChart, GridComponent, TooltipComponent, LegendComponent, AriaComponent, SVGRenderer]);

export interface Series { name: string; values: (number | null)[]; kind: 'bar' | 'line'; axis?: 0 | 1; format: (value: number, short?: boolean) => string }
export interface PlotProps { label: string; times: string[]; series: Series[]; height?: number }

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

interface Seen { axisValueLabel: string; seriesIndex: number; seriesName: string; value: unknown; color: string }

/** The tooltip as elements: ECharts' own markup carries style attributes, which the policy refuses. */
function tip(seen: Seen[], series: Series[]): HTMLElement {
  const box = document.createElement('div');
  box.className = 'tip';
  box.append(seen[0]?.axisValueLabel ?? '');
  for (const one of seen) {
    const row = document.createElement('p');
    const dot = document.createElement('i');
    dot.style.background = one.color;
    const value = document.createElement('b');
    value.textContent = typeof one.value === 'number' ? series[one.seriesIndex]?.format(one.value) ?? '' : '—';
    row.append(dot, one.seriesName, value);
    box.append(row);
  }
  return box;
}

/** Bars and lines over time, in the console's own colours. */
export default function Plot({ label, times, series, height = 300 }: PlotProps) {
  const holder = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType>(undefined);
  const scheme = useComputedColorScheme('light');

  useEffect(() => {
    if (!holder.current) return;
    const made = init(holder.current, null, { renderer: 'svg' });
    chart.current = made;
    const watch = new ResizeObserver(() => made.resize());
    watch.observe(holder.current);
    return () => { watch.disconnect(); made.dispose(); chart.current = undefined; };
  }, []);

  useEffect(() => {
    const ink = colour('--ink-2');
    const line = colour('--line');
    const font = getComputedStyle(document.body).fontFamily;
    const axes = series.some((one) => one.axis === 1) ? [0, 1] : [0];
    chart.current?.setOption({
      animationDuration: matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 500,
      textStyle: { fontFamily: font, color: ink },
      color: [colour('--chart'), colour('--second')],
      grid: { left: 4, right: 4, top: series.length > 1 ? 40 : 14, bottom: 2, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
      legend: series.length > 1 ? { top: 0, left: 0, icon: 'circle', itemWidth: 9, itemHeight: 9, itemGap: 18, textStyle: { color: ink, fontSize: 13 } } : { show: false },
      tooltip: {
        trigger: 'axis', confine: true, backgroundColor: colour('--surface'), borderColor: line, textStyle: { color: colour('--ink'), fontFamily: font, fontSize: 13 },
        formatter: (seen: unknown) => tip(seen as Seen[], series),
        axisPointer: { type: 'shadow', z: 0, shadowStyle: { color: colour('--accent-wash'), opacity: 0.6 } },
      },
      xAxis: { type: 'category', data: times, axisTick: { show: false }, axisLine: { lineStyle: { color: line } }, axisLabel: { color: ink, hideOverlap: true, margin: 12 } },
      yAxis: axes.map((axis) => {
        const first = series.find((one) => (one.axis ?? 0) === axis);
        return {
          type: 'value', splitNumber: 4, splitLine: { show: axis === 0, lineStyle: { color: line } }, alignTicks: axis === 1,
          axisLabel: { color: ink, formatter: (value: number) => first?.format(value, true) ?? String(value) },
        };
      }),
      series: series.map((one, index) => ({
        name: one.name, type: one.kind, data: one.values, yAxisIndex: one.axis ?? 0, barMaxWidth: 34, smooth: 0.25, symbolSize: 7, showSymbol: times.length <= 40,
        lineStyle: { width: 2.5 }, itemStyle: one.kind === 'bar' ? { borderRadius: [4, 4, 0, 0] } : {},
        areaStyle: one.kind === 'line' && series.length === 1 ? { opacity: 0.09 } : undefined, z: index + 2,
      })),
      aria: { enabled: true, label: { description: label } },
    }, { notMerge: true });
  }, [label, times, series, scheme]);

  return <div ref={holder} className="plot" style={{ height }} role="img" aria-label={label} />;
}
