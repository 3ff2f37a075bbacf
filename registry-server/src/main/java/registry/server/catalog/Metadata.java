package registry.server.catalog;

import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import registry.api.ApiException;

/** The limits of node and service metadata. Source: consul-api 5.3 */
final class Metadata {
    private static final int MAX_PAIRS = 64;
    private static final int MAX_KEY = 128;
    private static final int MAX_VALUE = 512;
    private static final String RESERVED = "consul-";
    private static final Pattern KEY = Pattern.compile("[A-Za-z0-9_-]+");

    private Metadata() {}

    /**
     * @param what begins the refusal
     * @param reserved whether keys may begin with {@code consul-}
     * @throws ApiException REFUSED
     */
    static void check(String what, @Nullable Map<String, String> meta, boolean reserved) {
        if (meta == null) {
            return;
        }
        if (meta.size() > MAX_PAIRS) {
            throw ApiException.refused(
                    what
                            + ": Node metadata cannot contain more than "
                            + MAX_PAIRS
                            + " key/value pairs");
        }
        meta.forEach((key, value) -> {
            String fault = fault(key, value, reserved);
            if (!fault.isEmpty()) {
                throw ApiException.refused(
                        "%s: Couldn't load metadata pair ('%s', '%s'): %s"
                                .formatted(what, key, value, fault));
            }
        });
    }

    private static String fault(String key, String value, boolean reserved) {
        if (key.isEmpty()) {
            return "Key cannot be blank";
        }
        if (!KEY.matcher(key).matches()) {
            return "Key contains invalid characters";
        }
        if (key.length() > MAX_KEY) {
            return "Key is too long (limit: " + MAX_KEY + " characters)";
        }
        if (!reserved && key.startsWith(RESERVED)) {
            return "Key prefix '" + RESERVED + "' is reserved for internal use";
        }
        return value.length() > MAX_VALUE
                ? "Value is too long (limit: " + MAX_VALUE + " characters)"
                : "";
    }
}
