/** Patterns of ONNX Runtime's messages that name an operator it does not have. */
const missingOperator = [
  /error:\s*([\w.]+:\w+)\(-?\d+\) is not a registered function/,
  /No Op registered for (\w+)/,
  /Could not find an implementation for ([\w.]+)\(\d+\)/,
];

/** What surrounds the part that is about the model: where the file lay, and where in its own code it was when it failed. */
const noise = [
  /^Can't create a session\. ERROR_CODE: \d+, ERROR_MESSAGE: /,
  /^Load model from .*? failed: ?/,
  /\[\w+Error\] /g,
  /\/[\w./+-]+\.(?:cc|h|cpp):\d+ /g,
  /\bfailed to call OrtRun\(\)\. ERROR_CODE: \d+, ERROR_MESSAGE: /,
];

/** What ONNX Runtime said of a model, as one short sentence. */
export function reasonOf(message: string): string {
  for (const pattern of missingOperator) {
    const operator = pattern.exec(message)?.[1];
    if (operator !== undefined) return `it has no operator ${operator} for these types: export the model without it.`;
  }
  const words = noise.reduce((text, pattern) => text.replace(pattern, ""), message.replaceAll(/\s+/g, " ").trim());
  const short = words.slice(0, 300).trim();
  return short.endsWith(".") ? short : `${short}.`;
}
