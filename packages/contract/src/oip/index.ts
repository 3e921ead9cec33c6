export { arrayOf, fromBinary, readElements, toBinary } from "./binary-data.ts";
export { fromJson, toJson } from "./json-data.ts";
export * from "./message.ts";
export { decodeUtf8, encodeUtf8 } from "./utf8.ts";
export { elementBytes, elementCount, type WireDatatype } from "./wire-datatype.ts";
