import { createTheme, type MantineColorsTuple } from "@mantine/core";

const ink: MantineColorsTuple = [
  "#eef1ff",
  "#dde2fc",
  "#b8c1f5",
  "#909dee",
  "#6e7fe7",
  "#5769e3",
  "#3a4fd0",
  "#3143b4",
  "#2a3a9e",
  "#1f2d80",
];

/** System fonts only: the console loads nothing from elsewhere. */
export const theme = createTheme({
  primaryColor: "ink",
  primaryShade: { light: 6, dark: 5 },
  colors: { ink },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace',
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
});
