/** Two halves that understand each other: the product's mark. */
export function Logo({ size = 24 }: { readonly size?: number }) {
  return <img src="/icon.svg" width={size} height={size} alt="" />;
}
