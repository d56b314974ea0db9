// Selectors like the DOM's own, for HTML elements: what a caller's type says more exactly is not checked.

/**
 * The first element that matches.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} selector
 * @param {ParentNode} parent
 * @returns {T | null}
 */
export const find = (selector, parent = document) => parent.querySelector(selector);

/**
 * All elements that match, in the order of the document.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} selector
 * @param {ParentNode} parent
 * @returns {NodeListOf<T>}
 */
export const findAll = (selector, parent = document) => parent.querySelectorAll(selector);

/**
 * The element an event happened on, or the nearest one around it, that matches.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {Event} event
 * @param {string} selector
 * @returns {T | null}
 */
export const closest = ({ target }, selector) => (target instanceof Element ? target.closest(selector) : null);
