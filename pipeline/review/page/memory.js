// What survives a reload: kept by the browser for this window.

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
