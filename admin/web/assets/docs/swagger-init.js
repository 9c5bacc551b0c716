/* Starts Swagger UI. A file of its own, because pages allow no inline script. */
window.addEventListener('DOMContentLoaded', () => {
  window.SwaggerUIBundle({
    url: '/api/v1/openapi.json',
    dom_id: '#docs',
    deepLinking: true,
    docExpansion: 'list',
    defaultModelsExpandDepth: 0,
    // Nothing of the document goes to a server of others.
    validatorUrl: null,
    persistAuthorization: false,
  });
});
