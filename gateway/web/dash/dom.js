// @ts-check
/**
 * An element that the page must have.
 * @template {Element} T
 * @param {string} selector
 * @param {new () => T} kind
 * @returns {T}
 */
export function find(selector, kind) {
  const found = document.querySelector(selector);
  if (!(found instanceof kind)) throw new TypeError(`Expected ${kind.name} at ${selector}`);
  return found;
}

/**
 * @param {string} tag
 * @param {string | Node} [content]
 * @param {string} [className]
 */
export function make(tag, content = "", className = "") {
  const element = document.createElement(tag);
  if (content !== "") element.append(content);
  if (className !== "") element.className = className;
  return element;
}

/** @param {string} name of a custom property, as the colour scheme has it now */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
