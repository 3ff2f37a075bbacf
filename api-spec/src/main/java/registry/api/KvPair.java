package registry.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import org.jspecify.annotations.Nullable;

/**
 * A key and its value; {@code value} is null when empty, {@code flags} an unsigned 64-bit number.
 */
public record KvPair(
        long lockIndex,
        String key,
        long flags,
        byte @Nullable [] value,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) @Nullable String session,
        long createIndex,
        long modifyIndex) {}
