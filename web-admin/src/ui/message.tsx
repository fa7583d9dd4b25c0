import { Anchor } from "@mantine/core";
import styles from "./message.module.css";

/** A page that only says something. */
export function Message({ title, detail }: { readonly title: string; readonly detail?: string }) {
  return (
    <main className={styles["message"]}>
      <h1>{title}</h1>
      {detail !== undefined && <p>{detail}</p>}
      <Anchor href="/">Go to the first page</Anchor>
    </main>
  );
}
