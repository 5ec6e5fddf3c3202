/** Where the CDN has the results that anybody may read; what follows is the pipeline's name. */
export const PUBLIC_PATH = "/public/results/";
