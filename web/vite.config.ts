// One page, one script, one style sheet and one icon, all with hashed names and relative addresses. Nothing
// is put into the page itself, so that a Content-Security-Policy without 'unsafe-inline' holds.
import { defineConfig } from 'vite';

export default defineConfig({
  base: './',
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: true,
  },
});
