import { Button, FileInput } from "@mantine/core";
import { IconFileCode } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { DeployResult, ServerOutcome } from "../../../src/admin-api/api.ts";
import type { SessionView } from "../../shared/session.ts";
import { ApiError, postJson } from "../api.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import styles from "./deploy-panel.module.css";

/** Source files are text; this is what the servers take. */
const sizeMax = 5 * 1024 * 1024;

/** Brings one source file of services to the cluster and shows every server's outcome. */
export function DeployPanel(
  { cluster, session }: { readonly cluster: string; readonly session: SessionView },
) {
  const [file, setFile] = useState<File | null>(null);
  const attempt = useMutation({ mutationFn: (chosen: File) => deploy(cluster, session, chosen) });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (file !== null) attempt.mutate(file);
  };
  return (
    <section id="deploy" className={styles["panel"]} aria-labelledby="deploy-title">
      <h2 id="deploy-title">Deploy a file</h2>
      <p className={styles["lead"]}>
        A TypeScript or JavaScript file of services that imports nothing but <code>dragoman</code>
        {" "}
        and <code>node:</code>{" "}
        modules. It replaces the file of the same name. All servers load it before any of them
        serves it; if one cannot, nothing changes.
      </p>
      <form className={styles["form"]} onSubmit={submit}>
        <FileInput
          label="Source file"
          placeholder="Choose a file"
          accept=".ts,.mts,.js,.mjs"
          leftSection={<IconFileCode size={16} aria-hidden />}
          value={file}
          onChange={(chosen) => {
            attempt.reset();
            setFile(chosen);
          }}
          className={styles["file"] ?? ""}
          clearable
        />
        <Button type="submit" disabled={file === null} loading={attempt.isPending}>
          Deploy
        </Button>
      </form>
      <div role="status" aria-live="polite">
        {attempt.data !== undefined && <Outcome result={attempt.data} />}
        {attempt.error !== null && <Failure error={attempt.error} />}
      </div>
    </section>
  );
}

async function deploy(
  cluster: string,
  { csrfToken }: SessionView,
  file: File,
): Promise<DeployResult> {
  if (file.size > sizeMax) {
    const detail = `"${file.name}" has ${file.size} bytes, and ${sizeMax} is the limit`;
    throw new ApiError({ status: 413, code: "DEPLOY_SOURCE_SIZE", detail });
  }
  const body = { name: file.name, source: await file.text() };
  const path = `/api/clusters/${encodeURIComponent(cluster)}/deployments`;
  return await postJson<DeployResult>(path, { body, csrfToken });
}

function Outcome({ result }: { readonly result: DeployResult }) {
  const [file] = result.files;
  const words = {
    deployed: `${file?.name} is live at revision ${result.revision}`,
    unchanged: `${file?.name} was live already, and is unchanged`,
    rejected: `${file?.name} was rejected; what was deployed before goes on serving`,
  };
  return (
    <div className={styles["outcome"]} data-health={healthOf(result)}>
      <p>
        <b>{words[result.outcome]}</b>
        {file !== undefined && file.services.length > 0 && (
          <>: services {file.services.join(", ")}</>
        )}
      </p>
      <DataTable
        label="Outcome on every server"
        columns={columns}
        rows={result.servers}
        keyOf={({ server }) => server}
        healthOf={outcomeHealth}
      />
    </div>
  );
}

const columns: readonly Column<ServerOutcome>[] = [
  { title: "Server", cell: ({ server }) => server },
  { title: "Outcome", cell: ({ outcome }) => outcome },
  { title: "Reason", isWide: true, cell: ({ reason }) => reason ?? "–" },
];

function Failure({ error }: { readonly error: Error }) {
  const advice = error instanceof ApiError ? error.problem.advice : undefined;
  return (
    <div className={styles["outcome"]} data-health="bad">
      <p>
        <b>{error.message}</b>
      </p>
      {advice !== undefined && <p>{advice}.</p>}
    </div>
  );
}

function healthOf({ outcome, servers }: DeployResult) {
  if (outcome === "rejected") return "bad";
  return servers.every((server) => server.outcome === "live") ? "good" : "warning";
}

function outcomeHealth({ outcome }: ServerOutcome) {
  if (outcome === "failed") return "bad";
  return outcome === "live" ? "good" : "warning";
}
