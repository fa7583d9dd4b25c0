/** The version of Redis whose commands, replies and errors are the model. */
export const redisVersion = "7.0.15";
