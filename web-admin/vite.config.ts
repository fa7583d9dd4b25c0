import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Vite takes its configuration from a default export, the only one in the project.
export default defineConfig({
  base: "/",
  plugins: [react()],
  // The console's server puts a nonce of its own into every page in place of this.
  html: { cspNonce: "__CSP_NONCE__" },
  build: {
    target: "es2023",
    sourcemap: false,
    // Small files stay files: the content security policy allows no inlined ones.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 800,
    rolldownOptions: {
      output: {
        // Libraries change seldom: browsers keep them when only our own code is new.
        codeSplitting: { groups: [{ name: "libraries", test: /node_modules/ }] },
      },
    },
  },
});
