import { formatAge } from "../format.ts";
import { useNow } from "../live/clock.ts";

/** An age that grows by itself; its title is the exact time. Nothing for null. */
export function Since({ iso, prefix = "" }: {
  readonly iso: string | null;
  readonly prefix?: string;
}) {
  const now = useNow();
  if (iso === null) return null;
  return (
    <time dateTime={iso} title={iso}>
      {prefix}
      {formatAge(now - Date.parse(iso))}
    </time>
  );
}
