// What mailauth and mailparser make of messages.
// In, on standard input: {"keys": {"s1._domainkey.courier.example": "v=DKIM1; ..."}, "messages": {"a name": "base64"}}.
// Out: {"a name": {"signatures": [{"result", "domain", "selector", "algorithm", "info"}], "parsed": {...}}}.
const { dkimVerify } = require("mailauth/lib/dkim/verify");
const { simpleParser } = require("mailparser");

const given = JSON.parse(require("fs").readFileSync(0, "utf8"));

async function resolver(name, type) {
  if (type === "TXT" && name in given.keys) return [[given.keys[name]]];
  throw Object.assign(new Error("no such record"), { code: "ENOTFOUND" });
}

const mailboxes = (field) => (field ? field.value.map(({ name, address }) => [name, address]) : []);

async function judge(message) {
  const { results } = await dkimVerify(message, { resolver });
  const parsed = await simpleParser(message, { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true });
  return {
    signatures: results.map((one) => ({
      result: one.status.result,
      domain: one.signingDomain,
      selector: one.selector,
      algorithm: one.algo,
      info: one.info,
    })),
    parsed: {
      subject: parsed.subject,
      date: parsed.date.toISOString(),
      from: mailboxes(parsed.from),
      to: mailboxes(parsed.to),
      reply_to: mailboxes(parsed.replyTo),
      message_id: parsed.messageId,
      text: parsed.text,
      html: parsed.html,
      attachments: parsed.attachments.length,
      list: parsed.headers.get("list"),
      fields: parsed.headerLines.map((one) => one.key),
    },
  };
}

(async () => {
  const verdicts = {};
  for (const [name, data] of Object.entries(given.messages)) verdicts[name] = await judge(Buffer.from(data, "base64"));
  process.stdout.write(JSON.stringify(verdicts));
})();
