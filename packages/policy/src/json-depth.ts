/**
 * Whether a JSON text nests deeper than `depthMax`, found without parsing it: ten thousand brackets must cost a scan,
 * not a stack. Brackets inside strings do not count. Malformed text gets an answer too; the parser refuses it later.
 */
export function nestsDeeperThan(text: string, depthMax: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (inString) {
      if (unit === backslash) i++;
      else if (unit === quote) inString = false;
    } else if (unit === quote) inString = true;
    else if (unit === openBracket || unit === openBrace) {
      depth++;
      if (depth > depthMax) return true;
    } else if (unit === closeBracket || unit === closeBrace) depth--;
  }
  return false;
}

const quote = 0x22;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
