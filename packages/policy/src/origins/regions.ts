/** A pool of origins in one region. */
export interface Region {
  readonly name: string;
  /** Of the callers that it is nearest to: AF, AN, AS, EU, NA, OC, SA. */
  readonly continents?: readonly string[] | undefined;
}

/** The regions in the order in which a caller's call tries them: those of its continent, then the others as they are listed. */
export function nearestRegions<R extends Region>(regions: readonly R[], continent: string | undefined): readonly R[] {
  const isNear = ({ continents }: R) => continent !== undefined && continents?.includes(continent) === true;
  return [...regions.filter(isNear), ...regions.filter((region) => !isNear(region))];
}
