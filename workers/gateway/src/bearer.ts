/** The credential of `Authorization: Bearer …` (RFC 6750; the scheme is case-insensitive). */
export function bearer(headers: Headers): string | undefined {
  const header = headers.get("Authorization");
  if (header === null || !/^bearer /i.test(header)) return undefined;
  const credential = header.slice(7).trim();
  return credential === "" ? undefined : credential;
}
