package registry.server.kv;

/**
 * What a deletion leaves for a while, so that a prefix's index does not fall.
 *
 * @param key the deleted key, or the prefix of a deleted tree
 * @param index of the deletion
 * @param time of the deletion, as {@link registry.server.state.State#time}
 */
record Tombstone(String key, long index, long time) {}
