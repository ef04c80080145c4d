import eslint from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["**/node_modules/", "**/dist/", ".state/", "test/golden/files/"] },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      // Numbers and booleans read well in a template.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      // The Kubernetes client's models are classes that serve as interfaces; its callers write literals.
      "@typescript-eslint/no-unsafe-class-instance-assignment": "off",
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // A Pulumi resource is declared by being constructed.
      "no-new": "off",
    },
  },
  {
    // mesh/, envoy/, admission/ and html/ are pure: no Pulumi, no file system, no clock. What a room may take from another: test/unit/rooms.test.ts.
    files: ["mesh/**/*.ts", "envoy/**/*.ts", "admission/**/*.ts", "html/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: ["@pulumi/*", "node:fs", "node:fs/*", "fs", "node:net", "node:child_process"] },
      ],
      "no-restricted-globals": ["error", "Date", "process", "setTimeout", "setInterval"],
    },
  },
  {
    // It leaves something for good in a signal that outlives it: src/within.ts.
    files: ["services/**/*.ts"],
    rules: { "no-restricted-properties": ["error", { object: "AbortSignal", property: "any" }] },
  },
  {
    // What the proof computes from rendered objects must come from them alone.
    files: ["policies/reachability/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: ["@pulumi/*", "../**/envoy/*", "../**/ceiling*"],
        },
      ],
    },
  },
  {
    // Where objects are read, the pack's own strict reading of a sidecar's files is at hand; nothing above policies/ is.
    files: ["policies/reachability/*/reading/**/*.ts"],
    rules: {
      "no-restricted-imports": ["error", { patterns: ["@pulumi/*", "../../../../**", "../**/ceiling*"] }],
    },
  },
  {
    // What is declared comes from the document, and not from what renders or reads a sidecar's files.
    files: ["proof/declaration/**/*.ts"],
    rules: { "no-restricted-imports": ["error", { patterns: ["@pulumi/*", "../**/envoy/*"] }] },
  },
  {
    // Certificates in time are computed from a plan alone, and no clock is asked.
    files: ["proof/timeline/**/*.ts"],
    rules: {
      "no-restricted-imports": ["error", { patterns: ["@pulumi/*", "node:*", "../**/envoy/*"] }],
      "no-restricted-globals": ["error", "Date", "process", "setTimeout", "setInterval"],
    },
  },
  {
    files: ["**/*.test.ts"],
    rules: {
      // `describe` and `it` hand back promises nobody awaits.
      "@typescript-eslint/no-unused-expressions": "off",
    },
  },
  {
    files: ["**/*.mjs", "**/*.cjs", "**/*.js"],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { "@typescript-eslint/no-require-imports": "off" },
    languageOptions: {
      globals: {
        process: "readonly",
        console: "readonly",
        module: "writable",
        require: "readonly",
        __dirname: "readonly",
        URL: "readonly",
      },
    },
  },
);
