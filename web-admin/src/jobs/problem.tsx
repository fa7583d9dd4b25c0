import { ApiError } from "../api.ts";
import { Reason } from "../ui/panel.tsx";

/** Why something cannot be shown, and what to do. */
export function Problem({ error }: { readonly error: Error }) {
  const advice = error instanceof ApiError ? error.problem.advice : undefined;
  return (
    <Reason>
      {error.message}
      {advice !== undefined && `. ${advice}`}.
    </Reason>
  );
}
