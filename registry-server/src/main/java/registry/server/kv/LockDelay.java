package registry.server.kv;

/**
 * A key whose holder has ended without letting go: nobody gets it before that time, in which the
 * holder finds out.
 *
 * @param until as {@link registry.server.state.State#time}
 */
record LockDelay(String key, long until) {}
