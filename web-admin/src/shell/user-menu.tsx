import { Menu, UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconLogout } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { logOut } from "../session.ts";
import styles from "./user-menu.module.css";

/** Who is logged in, and the way out. */
export function UserMenu({ username }: { readonly username: string }) {
  const navigate = useNavigate();
  const leave = useMutation({
    mutationFn: logOut,
    onSuccess: () => navigate({ to: "/login" }),
  });
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <UnstyledButton className={styles["user"] ?? ""}>
          <span className="visually-hidden">User</span>
          {username} <IconChevronDown size={14} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {leave.isError && <Menu.Label role="alert">{leave.error.message}</Menu.Label>}
        <Menu.Item
          leftSection={<IconLogout size={16} />}
          onClick={() => leave.mutate()}
          closeMenuOnClick={false}
        >
          Log out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
