/** Those who wait for something that others do: they look when they are told to, and not for ever. */
export class Waiters {
  readonly #looks = new Set<() => void>();

  /** Whether it is so, now or within `msMax`. */
  until(isSo: () => boolean, msMax: number): Promise<boolean> {
    if (isSo()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const end = (so: boolean) => {
        clearTimeout(timer);
        this.#looks.delete(look);
        resolve(so);
      };
      const look = () => {
        if (isSo()) end(true);
      };
      const timer = setTimeout(() => end(isSo()), msMax);
      this.#looks.add(look);
    });
  }

  /** Something may be so now. */
  tell(): void {
    for (const look of this.#looks) look();
  }
}
