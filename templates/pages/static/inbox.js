// Looks for new mail every few seconds. Without it, the page reloads itself now and then.
const list = document.querySelector("[data-renew]");
setInterval(async () => {
  if (document.hidden || list.contains(document.activeElement)) return;
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("[data-renew]");
  if (fresh.innerHTML !== list.innerHTML) list.innerHTML = fresh.innerHTML;
}, 3000);
