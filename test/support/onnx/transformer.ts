import { type Graph, type Initializer, type Node, writeOnnx } from "./write-onnx.ts";

export interface TransformerShape {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly vocabulary: number;
  readonly classes: number;
}

/** Six layers, 384 wide, 30,000 words: 23 MB at one byte a weight. */
export const sixLayers: TransformerShape = { layers: 6, width: 384, heads: 12, vocabulary: 30_000, classes: 8 };

/**
 * A transformer encoder with random weights, laid out as ONNX Runtime's dynamic int8 quantization lays one out: every
 * matrix of weights int8 with a scale per column, activations quantized as they come, attention in float, a byte table of
 * embeddings.
 *
 * Inputs: `ids` INT64 `[batch, length]`, `mask` INT64 `[batch, length]`. Output: `logits` FP32 `[batch, classes]`.
 */
export function int8Transformer(shape: TransformerShape): Uint8Array<ArrayBuffer> {
  return writeOnnx(new Encoder(shape).graph());
}

const noise = 0.02;

class Encoder {
  readonly #shape: TransformerShape;
  readonly #nodes: Node[] = [];
  readonly #constants: Initializer[] = [];
  /** xorshift32: the same weights at every call. */
  #random = 88172645;

  constructor(shape: TransformerShape) {
    this.#shape = shape;
  }

  graph(): Graph {
    const { layers, width, classes } = this.#shape;
    this.#maskBias();
    this.#embed();
    let flow = "embedded";
    for (let layer = 0; layer < layers; layer++) flow = this.#layer(flow, `layer${layer}`);
    this.#node("ReduceMean", [flow, this.#ints("axis1", [1])], "pooled", { keepdims: 0 });
    this.#node("Identity", [this.#dense("pooled", width, classes, "head")], "logits");
    return {
      inputs: [
        { name: "ids", datatype: "INT64", shape: [-1, -1] },
        { name: "mask", datatype: "INT64", shape: [-1, -1] },
      ],
      outputs: [{ name: "logits", datatype: "FP32", shape: [-1, classes] }],
      initializers: this.#constants,
      nodes: this.#nodes,
    };
  }

  /** `[batch, 1, 1, length]`: 0 where there is a token, −10,000 where there is none. */
  #maskBias(): void {
    this.#node("Cast", ["mask"], "mask_float", { to: 1 });
    this.#node("Unsqueeze", ["mask_float", this.#ints("axes12", [1, 2])], "mask_wide");
    this.#node("Sub", [this.#floats("one", [1]), "mask_wide"], "masked_out");
    this.#node("Mul", ["masked_out", this.#floats("far", [-10_000])], "mask_bias");
  }

  #embed(): void {
    const { vocabulary, width } = this.#shape;
    const table = this.#bytes(vocabulary * width);
    this.#constants.push({ name: "table", datatype: "INT8", shape: [vocabulary, width], data: table });
    this.#node("Gather", ["table", "ids"], "rows");
    this.#node("DequantizeLinear", ["rows", this.#scalar("table_scale", noise)], "embedded");
  }

  #layer(flow: string, name: string): string {
    const { width } = this.#shape;
    const attended = this.#attention(flow, name);
    const first = this.#normalised(flow, attended, `${name}_norm1`);
    const wide = this.#dense(first, width, 4 * width, `${name}_up`);
    this.#node("Gelu", [wide], `${name}_gelu`, { approximate: "tanh" });
    const narrow = this.#dense(`${name}_gelu`, 4 * width, width, `${name}_down`);
    return this.#normalised(first, narrow, `${name}_norm2`);
  }

  #attention(flow: string, name: string): string {
    const { width, heads } = this.#shape;
    const split = this.#ints("split_heads", [0, 0, heads, width / heads]);
    const parts = (["query", "key", "value"] as const).map((part) => {
      const all = this.#dense(flow, width, width, `${name}_${part}`);
      this.#node("Reshape", [all, split], `${all}_heads`);
      const perm = part === "key" ? [0, 2, 3, 1] : [0, 2, 1, 3];
      return this.#node("Transpose", [`${all}_heads`], `${all}_turned`, { perm });
    });
    const [query = "", key = "", value = ""] = parts;
    this.#node("MatMul", [query, key], `${name}_products`);
    this.#node("Mul", [`${name}_products`, this.#floats("scale", [Math.sqrt(heads / width)])], `${name}_scaled`);
    this.#node("Add", [`${name}_scaled`, "mask_bias"], `${name}_biased`);
    this.#node("Softmax", [`${name}_biased`], `${name}_weights`, { axis: -1 });
    this.#node("MatMul", [`${name}_weights`, value], `${name}_mixed`);
    this.#node("Transpose", [`${name}_mixed`], `${name}_back`, { perm: [0, 2, 1, 3] });
    this.#node("Reshape", [`${name}_back`, this.#ints("join_heads", [0, 0, width])], `${name}_joined`);
    return this.#dense(`${name}_joined`, width, width, `${name}_out`);
  }

  #normalised(flow: string, added: string, name: string): string {
    const { width } = this.#shape;
    this.#node("Add", [flow, added], `${name}_sum`);
    const scale = this.#floats("norm_scale", new Array<number>(width).fill(1));
    const bias = this.#floats("norm_bias", new Array<number>(width).fill(0));
    return this.#node("LayerNormalization", [`${name}_sum`, scale, bias], name, { axis: -1 });
  }

  /** `x · W + b` in int8, a scale per column. Returns the output's name. */
  #dense(input: string, from: number, to: number, name: string): string {
    const weights = this.#bytes(from * to);
    this.#constants.push({ name: `${name}_w`, datatype: "INT8", shape: [from, to], data: weights });
    this.#constants.push({ name: `${name}_wz`, datatype: "INT8", shape: [to], data: new Int8Array(to) });
    const scale = this.#floats(`${name}_ws`, new Array<number>(to).fill(noise / 40));
    this.#nodes.push({
      op: "DynamicQuantizeLinear",
      inputs: [input],
      outputs: [`${name}_q`, `${name}_s`, `${name}_z`],
    });
    this.#node("MatMulInteger", [`${name}_q`, `${name}_w`, `${name}_z`, `${name}_wz`], `${name}_int`);
    this.#node("Cast", [`${name}_int`], `${name}_cast`, { to: 1 });
    this.#node("Mul", [`${name}_s`, scale], `${name}_scales`);
    this.#node("Mul", [`${name}_cast`, `${name}_scales`], `${name}_float`);
    return this.#node("Add", [`${name}_float`, this.#floats(`${name}_b`, new Array<number>(to).fill(0.01))], name);
  }

  #node(op: string, inputs: readonly string[], output: string, attributes: Node["attributes"] = {}): string {
    this.#nodes.push({ op, inputs, outputs: [output], attributes });
    return output;
  }

  #bytes(count: number): Int8Array {
    const data = new Int8Array(count);
    for (let at = 0; at < count; at++) {
      this.#random ^= this.#random << 13;
      this.#random ^= this.#random >>> 17;
      this.#random ^= this.#random << 5;
      data[at] = (this.#random >> 8) % 127;
    }
    return data;
  }

  #constant(constant: Initializer): string {
    if (!this.#constants.some(({ name }) => name === constant.name)) this.#constants.push(constant);
    return constant.name;
  }

  #floats(name: string, values: readonly number[]): string {
    return this.#constant({ name, datatype: "FP32", shape: [values.length], data: Float32Array.from(values) });
  }

  #scalar(name: string, value: number): string {
    return this.#constant({ name, datatype: "FP32", shape: [], data: Float32Array.of(value) });
  }

  #ints(name: string, values: readonly number[]): string {
    const data = BigInt64Array.from(values, BigInt);
    return this.#constant({ name, datatype: "INT64", shape: [values.length], data });
  }
}
