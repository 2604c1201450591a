// @ts-check
/**
 * The page's one element of this kind.
 * @template {HTMLElement} T
 * @param {string} selector
 * @param {new () => T} kind
 * @returns {T}
 */
export function find(selector, kind) {
  const element = document.querySelector(selector);
  if (element instanceof kind) return element;
  throw new TypeError(`Expected ${kind.name} at ${selector}, got ${element}`);
}
