// How the page talks to its server: every failure has a kind, and says what to do.

export class Trouble extends Error {
  // kind: "gone" (no answer), "token" (a new server with another token), "refused" (the server says why)
  constructor(kind, message, status = 0) {
    super(message);
    this.kind = kind;
    this.status = status;
  }
}

const PATIENCE = 30000; // ms; another process may hold the ledger for a while

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, { ...options, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  } catch {
    throw new Trouble("gone", "no answer");
  }
  let body = {};
  try {
    body = await answer.json();
  } catch {
    if (answer.ok) throw new Trouble("gone", "the answer was cut off");
  }
  if (answer.ok) return body;
  const said = body.error || `the server answered ${answer.status}`;
  throw new Trouble(answer.status === 403 || answer.status === 421 ? "token" : "refused", said, answer.status);
}

export function get(path) {
  return ask(path, {});
}

export function post(path, body, last = false) {
  return ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    keepalive: last,
  });
}
