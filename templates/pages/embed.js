// Puts the newspaper's sign-up box where this script's tag stands:
//   <script src="https://news.example/embed.js" data-topic="north-korea" async></script>
// data-topic, data-newsletter: slugs, several with commas; data-lang; data-scheme="light" on pages without a night;
// data-title: what screen readers call the box. No cookie, no storage, nothing global.
(() => {
  const script = document.currentScript;
  if (!script) return;
  const box = new URL("embed", script.src);
  for (const name of ["topic", "newsletter", "lang", "scheme"]) {
    if (script.dataset[name]) box.searchParams.set(name, script.dataset[name]);
  }
  box.searchParams.set("origin", location.origin);
  const frame = document.createElement("iframe");
  frame.src = box.href;
  frame.title = script.dataset.title || "News by mail";
  frame.style.cssText = "display:block;inline-size:100%;block-size:22rem;border:0;color-scheme:light dark";
  if (script.dataset.scheme) frame.style.colorScheme = script.dataset.scheme;
  addEventListener("message", ({ origin, source, data }) => {
    if (origin !== box.origin || source !== frame.contentWindow) return;
    const height = Number(data?.tocsin?.height);
    if (height > 0 && height < 10000) frame.style.blockSize = `${Math.ceil(height)}px`;
  });
  script.replaceWith(frame);
})();
