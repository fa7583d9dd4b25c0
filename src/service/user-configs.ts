/** The UserConfig objects of one configuration. */
export interface UserConfigs {
  /** Throws CONFIG_OBJECT_UNKNOWN with the nearest name. */
  get(name: string): UserConfigValues;
}

export interface UserConfigValues {
  /** What the object says, frozen. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Its secret in clear; undefined when it has none. Keep it out of logs. */
  readonly secret: string | undefined;
}
