// Until analytics.js is loaded, a stub keeps what it is told, as Segment's own snippet does. It sends to Kizuna.
// `/analytics/` holds the folder dist/umd of the package @segment/analytics-next.
const kizunaAt = new URL('https://kizuna.example');

window.analytics = Object.assign([], {
  _writeKey: 'YOUR_WRITE_KEY',
  _cdn: kizunaAt.origin,
  _loadOptions: {
    integrations: { 'Segment.io': { apiHost: `${kizunaAt.host}/v1`, protocol: kizunaAt.protocol.slice(0, -1) } },
  },
});
for (const name of ['track', 'page', 'identify', 'reset', 'on', 'ready']) {
  analytics[name] = (...told) => analytics.push([name, ...told]);
}
analytics.page();
