/** The one thing of the web that this package uses. Every runtime has it; no platform's types are loaded for it. */
declare class TextDecoder {
  constructor(label: "utf-8", options: { readonly fatal: boolean; readonly ignoreBOM: boolean });
  /** Throws a TypeError when fatal and the bytes are no UTF-8. */
  decode(bytes: Uint8Array): string;
}
