// A peer: nodemailer's pooled transport. Answers `send COUNT CONNECTIONS PORT` with the seconds it took, as JSON.
// Started by peers.py: node nodemailer.cjs raw|build mail.eml parts.json   (NODEMAILER: where the package is)
"use strict";
const fs = require("fs"), readline = require("readline");
const nodemailer = require(process.env.NODEMAILER);
const [mode, wire, parts] = process.argv.slice(2);
const raw = fs.readFileSync(wire), letter = JSON.parse(fs.readFileSync(parts, "utf8"));
const fill = (text, i) => text.replaceAll("{{ name }}", `Reader ${i}`).replaceAll("{{ mail }}", `crowd.${i}@reader.example`);

function message(i) {
  if (mode === "raw") return { envelope: { from: "news@courier.example", to: ["crowd.1@reader.example"] }, raw };
  return {
    from: "The Harbour Courier <news@courier.example>", to: `Reader ${i} <crowd.${i}@reader.example>`, subject: letter.subject,
    text: fill(letter.plain, i), html: fill(letter.html, i),
    headers: { "List-Unsubscribe": letter.unsubscribe, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click" },
  };
}

async function send(count, connections, port) {
  const pool = nodemailer.createTransport({
    host: "127.0.0.1", port, pool: true, maxConnections: connections, maxMessages: Infinity, ignoreTLS: true, secure: false,
  });
  const started = process.hrtime.bigint();
  let next = 0;
  const work = async () => { while (next < count) await pool.sendMail(message(next++)); };
  await Promise.all(Array.from({ length: 2 * connections }, work));
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  pool.close();
  return seconds;
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [count, connections, port] = line.split(" ").slice(1).map(Number);
    console.log(JSON.stringify({ seconds: await send(count, connections, port) }));
  }
})();
