/**
 * npm writes no lockfile entry for an optional package that the registry it asked does not hold, as mirrors often lack
 * the builds for other systems. `npm ci` then refuses the whole lockfile, everywhere: npm/cli issue 9342.
 */

export interface LockEntry {
  readonly version?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface Lockfile {
  readonly packages: Readonly<Record<string, LockEntry>>;
}

export interface LockGap {
  /** The entry that names the missing package: its place in `node_modules`. */
  readonly from: string;
  readonly name: string;
  readonly range: string;
  readonly dev: boolean;
}

/** Every dependency that an entry names and no entry answers. */
export function lockfileGaps({ packages }: Lockfile): readonly LockGap[] {
  const gaps: LockGap[] = [];
  for (const [from, { dependencies, optionalDependencies, dev = false }] of Object.entries(packages)) {
    for (const [name, range] of Object.entries({ ...dependencies, ...optionalDependencies })) {
      if (!answered(packages, from, name)) gaps.push({ from, name, range, dev });
    }
  }
  return gaps;
}

/** Node's own lookup: the nearest `node_modules` that has the package, from the entry's folder upwards. */
function answered(packages: Lockfile["packages"], from: string, name: string): boolean {
  for (let at = from; ; at = parentOf(at)) {
    if (packages[`${at === "" ? "" : `${at}/`}node_modules/${name}`] !== undefined) return true;
    if (at === "") return false;
  }
}

function parentOf(path: string): string {
  const cut = path.lastIndexOf("node_modules/");
  return cut <= 0 ? "" : path.slice(0, cut - 1);
}

/** Entries that fetch from one named place: a clone would depend on a host that it may not reach. */
export function pinnedHosts({ packages }: Lockfile): readonly string[] {
  return Object.entries(packages)
    .filter(([, { resolved }]) => resolved !== undefined && /^[a-z+]+:\/\//.test(resolved))
    .map(([path]) => path);
}
