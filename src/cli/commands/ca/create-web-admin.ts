import { certificateCommand } from "../../creation/certificate-command.ts";

export const command = certificateCommand("web-admin");
