// swagger-ui-dist has no types of its own; what docs.ts uses.
declare module 'swagger-ui-dist/swagger-ui-es-bundle.js' {
  export default function SwaggerUI(options: Record<string, unknown>): unknown;
}
declare module '*.css';
