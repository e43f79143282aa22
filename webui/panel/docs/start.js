// Swagger UI over our own description, with nothing fetched from elsewhere.
(async function () {
  const api = "/api/v1";
  // A signed-in browser may try calls out: unsafe ones need the session's token.
  const session = await fetch(`${api}/session`, { credentials: "same-origin" });
  const csrf = session.ok ? (await session.json()).csrf : null;
  window.SwaggerUIBundle({
    url: `${api}/openapi.json`,
    dom_id: "#api",
    validatorUrl: null,
    deepLinking: true,
    requestInterceptor(request) {
      if (csrf && request.method && request.method !== "GET") request.headers["X-CSRF-Token"] = csrf;
      return request;
    },
  });
})();
