package registry.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.annotation.JsonDeserialize;
import com.fasterxml.jackson.databind.annotation.JsonSerialize;
import org.jspecify.annotations.Nullable;
import registry.api.json.Unsigned;

/**
 * A key and its value; {@code value} is null when empty, {@code flags} an unsigned 64-bit number.
 */
public record KvPair(
        long lockIndex,
        String key,
        @JsonSerialize(using = Unsigned.Writer.class)
                @JsonDeserialize(using = Unsigned.Reader.class)
                long flags,
        byte @Nullable [] value,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) @Nullable String session,
        long createIndex,
        long modifyIndex) {}
