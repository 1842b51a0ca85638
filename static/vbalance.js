// What htmx is told beside its attributes: when not to ask, and what to say when the answer does not come.
(() => {
  const root = document.documentElement;
  const following = () => document.getElementById("follow")?.checked ?? true;

  document.addEventListener("htmx:before:request", (event) => {
    const polls = event.detail.ctx.sourceElement?.id === "live";
    if (polls && (document.hidden || !following())) event.preventDefault();
  });

  // A form that is previewed while somebody types: its token belongs into no address.
  document.addEventListener("htmx:config:request", (event) => {
    const request = event.detail.ctx.request;
    if (request.method.toUpperCase() === "GET") request.body?.delete?.("csrfmiddlewaretoken");
  });

  // What does not fit is said under a field or beside the form; the field itself says so to who does not see that.
  document.addEventListener("htmx:after:swap", () => {
    const said = document.getElementById("effect");
    for (const field of document.querySelectorAll("[aria-describedby^='hint-']")) {
      const hint = document.getElementById(field.getAttribute("aria-describedby"));
      const wrong = said ? said.querySelector(`[data-field="${field.name}"]`) : hint?.classList.contains("wrong");
      if (wrong) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
  });

  // A poll that was led to the sign-in page: go there as a whole instead of drawing it into this one.
  document.addEventListener("htmx:before:response", (event) => {
    if (!event.detail.ctx.response.raw.redirected) return;
    event.preventDefault();
    window.location.reload();
  });

  const lose = () => { root.dataset.link = "lost"; };
  document.addEventListener("htmx:error", lose);
  document.addEventListener("htmx:response:error", lose);
  document.addEventListener("htmx:after:request", (event) => {
    if (event.detail.ctx.response.status < 400) delete root.dataset.link;
  });
})();
