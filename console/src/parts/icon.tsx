/** The console's own line icons, drawn on 24 × 24. */
const paths = {
  overview: 'M4 13h6V4H4zM14 20h6v-9h-6zM4 20h6v-3H4zM14 7h6V4h-6z',
  profiles: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20c.8-3.6 3.8-5.5 7.5-5.5s6.700 1.900 7.5 5.500',
  segments: 'M9 15a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11zM15 20a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11z',
  journeys: 'M6 4v5a3 3 0 0 0 3 3h6a3 3 0 0 1 3 3v5M6 4l-2 2M6 4l2 2M18 20l-2-2M18 20l2-2',
  campaigns: 'M4 10v4h3l7 4V6L7 10zM17.500 9.500a3.500 3.500 0 0 1 0 5',
  templates: 'M6 3.500h8l4 4v13H6zM14 3.500v4h4M9 12h6M9 15.500h6',
  catalogs: 'M4 4.500h7.500l8.500 8.500-7 7L4 11.500zM8 9a.8.8 0 1 0 0-1.600A.8.8 0 0 0 8 9z',
  calls: 'M8.500 4H5.200C4.500 4 4 4.500 4 5.200 4.600 13 11 19.400 18.800 20c.7 0 1.200-.5 1.200-1.200v-3.300l-4.200-1.500-1.800 2.200c-2.500-1.200-4.500-3.200-5.700-5.700L10.500 8.700z',
  delivery: 'M20.500 4L3.500 10.500l6.500 3 3 6.500zM10 13.500l4-4',
  outbox: 'M4 6h16v12H4zM4 7l8 6 8-6',
  dashboards: 'M4 19h16M6.500 15l4-5 3.500 3 4.500-6.500',
  thread: 'M4 15c0-8 8-8 8-3s8 5 8-3M4 18.500a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3zM20 8.500a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3z',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20 20l-4-4',
  alert: 'M12 4l9 16H3zM12 10v4.500M12 17.500v.1',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 3v2M12 19v2M3 12h2M19 12h2M5.600 5.600L7 7M17 17l1.400 1.400M5.600 18.400L7 17M17 7l1.400-1.400',
  moon: 'M19 14.500A7.500 7.500 0 0 1 9.500 5a7.500 7.500 0 1 0 9.500 9.500z',
  exit: 'M14 4H6v16h8M11 12h9M17 9l3 3-3 3',
  clock: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 8v4l3 2',
  wait: 'M7 4h10M7 20h10M8 4c0 5 8 5 8 8s-8 3-8 8M16 4c0 5-8 5-8 8s8 3 8 8',
  ear: 'M7 15V9.500a5 5 0 0 1 10 0c0 3.500-3 4-3 7a3 3 0 0 1-5 2.200M10 9.500a2 2 0 0 1 4 0',
  branch: 'M12 4v5M12 9c0 4-6 3-6 9M12 9c0 4 6 3 6 9M6 20v-2M18 20v-2',
  dice: 'M5 5h14v14H5zM9 9v.1M15 15v.1M15 9v.1M9 15v.1',
  pen: 'M5 19l1-4L16 5l3 3L9 18zM14 7l3 3',
  flag: 'M6 20V4h11l-2.500 4L17 12H6',
  bolt: 'M13 3L6 13h5l-1 8 8-11h-6z',
  check: 'M5 12.500l4.500 4.500L19 7.500',
  dot: 'M12 14a2 2 0 1 0 0-4 2 2 0 0 0 0 4z',
} as const;
export type IconName = keyof typeof paths;

export const Icon = ({ name, size = 20 }: { name: IconName; size?: number }) => (
  <svg className="icon" viewBox="0 0 24 24" width={size} height={size} fill="none" stroke="currentColor" strokeWidth={size > 30 ? 1.2 : 1.7} strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
    <path d={paths[name]} />
  </svg>
);

/** 絆: one thread between two people. */
export const Mark = ({ size = 28 }: { size?: number }) => (
  <svg className="mark" viewBox="0 0 32 32" width={size} height={size} aria-hidden="true">
    <rect width="32" height="32" rx="9" />
    <path d="M7.500 20c0-9 8.500-8.500 8.500-4s8.500 5 8.500-4" />
    <circle cx="7.500" cy="22" r="2.500" /><circle cx="24.500" cy="10" r="2.500" />
  </svg>
);
