import { createHash } from "node:crypto";
import { type PackageManifest, type PackageRef, packageDocument, packageManifest } from "@ledge/contract";

/** Model packages made on the spot. */

export interface TestPackage {
  readonly manifest: PackageManifest;
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/** A package of a graph and what else the manifest says; `model.onnx` is the graph. */
export function packageOf(
  name: string,
  files: Readonly<Record<string, Uint8Array>>,
  more: Partial<PackageManifest> & Pick<PackageManifest, "inputs" | "outputs">,
): TestPackage {
  const listed = Object.entries(files).map(([path, bytes]) => ({ path, bytes: bytes.length, sha256: sha256(bytes) }));
  const [file, ...others] = listed;
  if (file === undefined) throw new Error("A package has a graph.");
  const base = {
    name,
    version: "1",
    task: "tensor",
    description: "",
    licence: "Apache-2.0",
    tiers: ["edge"],
    limits: {},
  };
  return { manifest: packageManifest.parse({ ...base, file, files: others, ...more }), files };
}

export function refOf(manifest: PackageManifest): PackageRef {
  return { model: manifest.name, version: manifest.version, digest: sha256(packageDocument(manifest)) };
}

/** What the store holds of a package, by key. */
export function blobsOf({ manifest, files }: TestPackage): Record<string, Uint8Array | string> {
  const listed = [manifest.file, ...(manifest.files ?? [])];
  const blobs = listed.map(({ path, sha256 }) => [`blobs/${sha256}`, files[path] ?? ""] as const);
  return { ...Object.fromEntries(blobs), [`blobs/${refOf(manifest).digest}`]: packageDocument(manifest) };
}

export function sha256(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}
