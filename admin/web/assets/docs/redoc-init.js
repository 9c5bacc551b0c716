/* Starts ReDoc. A file of its own, because pages allow no inline script. */
window.addEventListener('DOMContentLoaded', () => {
  const options = {
    // The search index would be made by a worker from a blob, which pages do not allow.
    disableSearch: true,
    hideDownloadButton: false,
    nativeScrollbars: true,
    theme: { typography: { fontFamily: 'sans-serif', headings: { fontFamily: 'sans-serif' } } },
  };
  window.Redoc.init('/api/v1/openapi.json', options, document.getElementById('docs'));
});
