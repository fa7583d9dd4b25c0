import { Menu, UnstyledButton } from "@mantine/core";
import { IconSelector } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import type { ClusterChoice } from "../../shared/session.ts";
import styles from "./cluster-menu.module.css";

/** The cluster's name; where the console knows several, the way to the others. */
export function ClusterMenu(
  { cluster, clusters }: {
    readonly cluster: ClusterChoice;
    readonly clusters: readonly ClusterChoice[];
  },
) {
  const navigate = useNavigate();
  if (clusters.length < 2) return <span className={styles["name"]}>{cluster.name}</span>;
  return (
    <Menu>
      <Menu.Target>
        <UnstyledButton className={styles["name"] ?? ""} title="Choose another cluster">
          {cluster.name} <IconSelector size={14} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {clusters.map(({ name, environment }) => (
          <Menu.Item
            key={name}
            onClick={() => navigate({ to: "/clusters/$cluster", params: { cluster: name } })}
            rightSection={<small>{environment}</small>}
          >
            {name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
