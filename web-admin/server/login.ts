import type { DatabaseSync } from "node:sqlite";
import { PlatformError } from "../../src/errors/platform-error.ts";
import { hashPassword, verifyPassword } from "../../src/security/passwords.ts";
import type { Logger } from "../../src/telemetry/logger.ts";
import { LoginGuard } from "./login-guard.ts";
import { type Credentials, findUser } from "./users.ts";

/** Each check takes 32 MiB and a tenth of a second of a core, by design. */
const checksAtOnceMax = 8;

/** Checks a password and returns the user's name as it was created. */
export type LogIn = (credentials: Credentials, address: string) => Promise<string>;

/**
 * Makes the check behind the login page. It throws WEB_ADMIN_LOGIN_FAILED, in the same time and
 * words for an unknown user and a wrong password; WEB_ADMIN_LOCKED after too many tries;
 * WEB_ADMIN_BUSY when too many checks are under way.
 */
export async function createLogIn(
  { database, logger, guard = new LoginGuard() }: {
    readonly database: DatabaseSync;
    readonly logger: Logger;
    readonly guard?: LoginGuard;
  },
): Promise<LogIn> {
  // Stands in for the hash of a user that does not exist, so that finding out takes as long.
  const nobodysHash = await hashPassword("nobody has this password");
  let checks = 0;
  return async ({ username, password }, address) => {
    if (checks >= checksAtOnceMax) {
      throw new PlatformError("WEB_ADMIN_BUSY", {}, { retryAfterMs: 1000 });
    }
    guard.begin(username, address);
    checks++;
    try {
      const user = findUser(database, username);
      const isRight = await verifyPassword(password, user?.passwordHash ?? nobodysHash);
      if (user === undefined || !isRight) {
        // An unknown name is not logged: people type passwords into the wrong field.
        logger.warn("login failed", { user: user?.name ?? "(unknown)", address });
        throw new PlatformError("WEB_ADMIN_LOGIN_FAILED");
      }
      guard.succeeded(username, address);
      logger.info("logged in", { user: user.name, address });
      return user.name;
    } finally {
      checks--;
    }
  };
}
