import { Alert, Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { ApiError } from "../api.ts";
import { logIn } from "../session.ts";
import { ColorSchemeToggle } from "../shell/color-scheme-toggle.tsx";
import { Logo } from "../shell/logo.tsx";
import styles from "./login-page.module.css";

const route = getRouteApi("/login");

/** Where people get in; afterwards they are where they wanted to go. */
export function LoginPage() {
  const { to = "/", ended } = route.useSearch();
  const navigate = useNavigate();
  const password = useRef<HTMLInputElement>(null);
  const attempt = useMutation({
    mutationFn: (form: FormData) =>
      logIn(String(form.get("username")), String(form.get("password"))),
    onSuccess: () => navigate({ to, replace: true }),
    onError: () => password.current?.select(),
  });
  const waitSeconds = useCountdown(attempt.error);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    attempt.mutate(new FormData(event.currentTarget));
  };
  useEffect(() => {
    document.title = "Log in · Dragoman";
  }, []);
  return (
    <main className={styles["page"]}>
      <div className={styles["corner"]}>
        <ColorSchemeToggle />
      </div>
      <form className={styles["card"]} onSubmit={submit}>
        <Logo size={40} />
        <h1>Dragoman</h1>
        <p className={styles["lead"]}>
          {ended ? "Your session has ended. Log in to go on." : "Log in to the web admin."}
        </p>
        <Notice error={attempt.error} waitSeconds={waitSeconds} />
        <TextInput
          label="Username"
          name="username"
          autoComplete="username"
          required
          withAsterisk={false}
          autoFocus
        />
        <PasswordInput
          ref={password}
          label="Password"
          name="password"
          autoComplete="current-password"
          required
          withAsterisk={false}
        />
        <Button type="submit" fullWidth loading={attempt.isPending} disabled={waitSeconds > 0}>
          Log in
        </Button>
      </form>
    </main>
  );
}

function Notice(
  { error, waitSeconds }: { readonly error: Error | null; readonly waitSeconds: number },
) {
  if (error === null) return null;
  const wait = waitSeconds > 0 ? ` Try again in ${waitSeconds} s.` : "";
  return (
    <Alert color="red" role="alert" className={styles["alert"] ?? ""} p="sm">
      {error.message}.{wait}
    </Alert>
  );
}

/** Seconds left to wait, as the server asked for with the error. */
function useCountdown(error: Error | null): number {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    const seconds = error instanceof ApiError ? error.retryAfterSeconds : 0;
    const until = Date.now() + seconds * 1000;
    const update = () => setLeft(Math.max(0, Math.ceil((until - Date.now()) / 1000)));
    update();
    if (seconds === 0) return undefined;
    const timer = setInterval(update, 500);
    return () => clearInterval(timer);
  }, [error]);
  return left;
}
