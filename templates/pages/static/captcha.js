// Loads Altcha's widget with its worker, and its words in the page's language. Who has no JavaScript waits instead.
import "./altcha/altcha.min.js";

globalThis.$altcha.algorithms.set("PBKDF2/SHA-256", () => new Worker("/static/altcha/pbkdf2.js", { type: "module" }));
const language = document.documentElement.lang.split("-")[0];
if (language === "ko") await import("./altcha/ko.js");
for (const hint of document.querySelectorAll("[data-without-script]")) hint.hidden = true;
