// @ts-check
/**
 * The token that permits a call, where the server asks for one. The site that sends a caller here
 * puts it behind the address's `#`, which browsers send to no server: so it is in no log. It is
 * taken out of the address, so that it is in no bookmark or picture of the screen either.
 *
 * @returns {string | null} null: there is none.
 */
export function takePermit() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return null;
  history.replaceState(null, "", location.pathname + location.search);
  return token === "" ? null : token;
}
