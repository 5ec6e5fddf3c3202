/** Where users live, and where a stranger logs in from. */
import type { Random } from "../chaos/random.ts";

/** In degrees, north and east positive. */
export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

const EARTH_RADIUS_KM = 6_371;

/** Far enough that nobody is at both within ten minutes; what is near is less than 100 km away. */
const FAR_KM = 1_000;

/** Degrees of latitude and of longitude that a place lies off its city, at most: two such places are within 63 km. */
const NEAR_DEGREES = 0.2;

/** Cities, to two decimals: who lives there is within {@link NEAR_DEGREES}. */
const CITIES: readonly Place[] = [
  { latitude: 52.52, longitude: 13.41 }, // Berlin
  { latitude: 48.86, longitude: 2.35 }, // Paris
  { latitude: 51.51, longitude: -0.13 }, // London
  { latitude: 40.42, longitude: -3.7 }, // Madrid
  { latitude: 41.9, longitude: 12.5 }, // Rome
  { latitude: 40.71, longitude: -74.01 }, // New York
  { latitude: 41.88, longitude: -87.63 }, // Chicago
  { latitude: 37.77, longitude: -122.42 }, // San Francisco
  { latitude: -23.55, longitude: -46.63 }, // São Paulo
  { latitude: 6.52, longitude: 3.38 }, // Lagos
  { latitude: -26.2, longitude: 28.05 }, // Johannesburg
  { latitude: 19.08, longitude: 72.88 }, // Mumbai
  { latitude: 1.35, longitude: 103.82 }, // Singapore
  { latitude: 35.68, longitude: 139.69 }, // Tokyo
  { latitude: -33.87, longitude: 151.21 }, // Sydney
];

/** A user's city: always the same. */
export const homeOf = (user: number): Place => CITIES[user % CITIES.length]!;

/** A place in the city's surroundings, to about ten metres. */
export const near = (random: Random, { latitude, longitude }: Place): Place => ({
  latitude: rounded(latitude + (2 * random.next() - 1) * NEAR_DEGREES),
  longitude: rounded(longitude + (2 * random.next() - 1) * NEAR_DEGREES),
});

/** A place near another city, {@link FAR_KM} away or more. */
export function farFrom(random: Random, home: Place): Place {
  return near(random, random.pick(CITIES.filter((city) => distanceKm(city, home) >= FAR_KM + 100)));
}

/** Great-circle distance, by the haversine formula. */
export function distanceKm(a: Place, b: Place): number {
  const [latitudeA, latitudeB] = [radians(a.latitude), radians(b.latitude)];
  const h =
    Math.sin((latitudeB - latitudeA) / 2) ** 2 +
    Math.cos(latitudeA) * Math.cos(latitudeB) * Math.sin(radians(b.longitude - a.longitude) / 2) ** 2;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(h));
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180;
const rounded = (degrees: number): number => Math.round(degrees * 10_000) / 10_000;
