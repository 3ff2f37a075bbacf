package registry.api;

import org.jspecify.annotations.Nullable;

/**
 * One change of the key-value store. {@code index} is the ModifyIndex that the CAS verbs compare
 * with (0: the key must not exist); {@code session} belongs to LOCK and UNLOCK.
 */
public record KvWrite(
        Verb verb,
        String key,
        byte @Nullable [] value,
        long flags,
        long index,
        @Nullable String session) {
    /** What is done with the key. */
    public enum Verb {
        SET,
        CAS,
        LOCK,
        UNLOCK,
        DELETE,
        DELETE_CAS,
        DELETE_TREE
    }
}
