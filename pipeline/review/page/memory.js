// What survives a reload: kept by the browser for this window. A window that was copied is a window of its own.

export function recall(key, otherwise) {
  try {
    return JSON.parse(sessionStorage.getItem(`vggss:${key}`)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function keep(key, value) {
  try {
    if (value === null) sessionStorage.removeItem(`vggss:${key}`);
    else sessionStorage.setItem(`vggss:${key}`, JSON.stringify(value));
  } catch {
    // no room, or not allowed: only a reload would need it
  }
}

// The id of this window. Whoever has it holds a lock of that name; a copy of the window finds it taken and gets another.
export async function ownWindow() {
  const before = recall("window", "");
  for (let attempt = 0; before && attempt < 10; attempt += 1) { // after a reload the lock may come free a moment later
    if (await hold(before)) return before;
    await new Promise((done) => setTimeout(done, 50));
  }
  const id = crypto.randomUUID();
  await hold(id);
  keep("window", id);
  if (before) for (const key of Object.keys(sessionStorage)) if (/^vggss:(place|pending)/.test(key)) sessionStorage.removeItem(key);
  return id;
}

function hold(id) {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((done) => {
    navigator.locks.request(`vggss:${id}`, { ifAvailable: true }, (lock) => {
      done(Boolean(lock));
      return lock ? new Promise(() => {}) : undefined; // until the window is closed
    }).catch(() => done(true));
  });
}
