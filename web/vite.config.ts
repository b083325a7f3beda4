// Two pages (the dashboard, the reference of the API), their scripts, style sheets and icon with hashed names
// and relative addresses. Nothing is put into the pages themselves, so that a Content-Security-Policy without
// 'unsafe-inline' holds.
import { defineConfig } from 'vite';

export default defineConfig({
  base: './',
  build: {
    target: 'es2022',
    // Of it most is Swagger UI, which only /docs loads.
    chunkSizeWarningLimit: 2000,
    rollupOptions: { input: ['index.html', 'docs.html'] },
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: true,
  },
});
