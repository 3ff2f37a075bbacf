package registry.agent.config;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.regex.Pattern;
import registry.api.ServiceAddress;
import registry.api.Weights;

/**
 * What makes a service or a check wrong by itself, in the order and with the texts of Consul's API.
 * The same rules hold for files, flags and requests. A fault is the text of the answer; none is
 * empty. The limits of length and number are our own. Source: consul-api 3.3, 5.3, 6.1.
 */
public final class DefinitionRules {
    private static final int MAX_NAME = 255;
    private static final int MAX_TAGS = 128;
    private static final int MAX_META_PAIRS = 64;
    private static final int MAX_META_KEY = 128;
    private static final int MAX_META_VALUE = 512;
    private static final String RESERVED_META = "consul-";
    private static final Pattern META_KEY = Pattern.compile("[a-zA-Z0-9_-]+");
    private static final Pattern DNS_LABEL = Pattern.compile("[a-zA-Z0-9-]{1,63}");
    private static final Set<String> STATUSES = Set.of("passing", "warning", "critical");
    private static final Set<String> ANY_ADDRESS = Set.of("0.0.0.0", "::", "[::]");

    private DefinitionRules() {}

    /** All that an API registration of {@code service} is answered 400 for, its checks included. */
    public static Optional<String> serviceFault(ServiceDefinition service) {
        if (service.name().isEmpty()) {
            return Optional.of("Missing service name");
        }
        if (ANY_ADDRESS.contains(service.address())) {
            return Optional.of("Invalid service address");
        }
        if (service.name().length() > MAX_NAME || service.id().length() > MAX_NAME) {
            return Optional.of("Service name and ID are limited to 255 characters");
        }
        if (service.tags().size() > MAX_TAGS) {
            return Optional.of("A service is limited to 128 tags");
        }
        Optional<String> fault =
                weightsFault(service.weights()).map(text -> "Invalid Weights: " + text);
        if (fault.isEmpty()) {
            fault = metaFault(service.meta()).map(text -> "Invalid Service Meta: " + text);
        }
        for (CheckDefinition check : service.checks()) {
            if (fault.isPresent()) {
                return fault;
            }
            fault = checkFault(check).map(text -> "Invalid check: " + text);
            if (fault.isEmpty() && !isInitialStatus(check.status())) {
                fault = Optional.of("Status for checks must 'passing', 'warning', 'critical'");
            }
        }
        return fault;
    }

    /** What a check registered by itself is answered 400 for. */
    public static Optional<String> registeredCheckFault(CheckDefinition check) {
        if (check.name().isEmpty()) {
            return Optional.of("Missing check name");
        }
        if (!isInitialStatus(check.status())) {
            return Optional.of("Bad check status");
        }
        return checkFault(check).map(text -> "Invalid check: " + text);
    }

    /**
     * Whether type and times of a check agree and its names are short enough; without the words
     * {@code Invalid check: } in front.
     */
    public static Optional<String> checkFault(CheckDefinition check) {
        if (check.name().length() > MAX_NAME || check.id().length() > MAX_NAME) {
            return Optional.of("Check name and ID are limited to 255 characters");
        }
        boolean probed =
                check.isScript()
                        || !check.http().isEmpty()
                        || !check.tcp().isEmpty()
                        || !check.grpc().isEmpty();
        boolean hasInterval = check.interval() != null && check.interval().isPositive();
        boolean hasTtl = check.ttl() != null && check.ttl().isPositive();
        if (hasInterval && hasTtl) {
            return Optional.of("Interval and TTL cannot both be specified");
        }
        if (probed && !hasInterval) {
            return Optional.of("Interval must be > 0 for Script, HTTP, or TCP checks");
        }
        if (probed && check.isAlias()) {
            return Optional.of("Interval cannot be set for Alias checks");
        }
        if (check.isAlias() && hasTtl) {
            return Optional.of("TTL must be not be set for Alias checks");
        }
        if (!probed && !check.isAlias() && !hasTtl) {
            return Optional.of("TTL must be > 0 for TTL checks");
        }
        if (check.outputMaxSize() < 0) {
            return Optional.of("MaxOutputMaxSize must be positive");
        }
        return Optional.empty();
    }

    /** Weights of an instance; absent weights are 1 and 1, of given ones an absent member is 0. */
    public static Optional<String> weightsFault(Weights weights) {
        if (weights.passing() < 1) {
            return Optional.of("Passing must be greater than 0");
        }
        if (weights.warning() < 0) {
            return Optional.of("Warning must be greater or equal than 0");
        }
        if (weights.passing() > 65535 || weights.warning() > 65535) {
            return Optional.of("DNS Weight must be between 0 and 65535");
        }
        return Optional.empty();
    }

    /**
     * Metadata of a service or a node as an agent takes it: at most 64 pairs, limited keys and
     * values.
     */
    public static Optional<String> metaFault(SortedMap<String, String> meta) {
        if (meta.size() > MAX_META_PAIRS) {
            return Optional.of("Node metadata cannot contain more than 64 key/value pairs");
        }
        for (Map.Entry<String, String> pair : meta.entrySet()) {
            Optional<String> reason = pairFault(pair.getKey(), pair.getValue());
            if (reason.isPresent()) {
                return reason.map(text ->
                        "Couldn't load metadata pair ('%s', '%s'): %s"
                                .formatted(pair.getKey(), pair.getValue(), text));
            }
        }
        return Optional.empty();
    }

    private static Optional<String> pairFault(String key, String value) {
        if (key.isEmpty()) {
            return Optional.of("Key cannot be blank");
        }
        if (!META_KEY.matcher(key).matches()) {
            return Optional.of("Key contains invalid characters");
        }
        if (key.length() > MAX_META_KEY) {
            return Optional.of("Key is too long (limit: 128 characters)");
        }
        if (key.startsWith(RESERVED_META)) {
            return Optional.of("Key prefix 'consul-' is reserved for internal use");
        }
        if (value.length() > MAX_META_VALUE) {
            return Optional.of("Value is too long (limit: 512 characters)");
        }
        return Optional.empty();
    }

    /** The addresses whose names promise a family; Consul answers 500 for these, not 400. */
    public static Optional<String> taggedAddressFault(SortedMap<String, ServiceAddress> addresses) {
        for (Map.Entry<String, ServiceAddress> entry : addresses.entrySet()) {
            String tag = entry.getKey();
            String address = entry.getValue().address();
            if ((tag.equals("lan_ipv4") || tag.equals("wan_ipv4")) && !IpText.isV4(address)) {
                return Optional.of(
                        "Service tagged address \"%s\" must be a valid ipv4 address"
                                .formatted(tag));
            }
            if ((tag.equals("lan_ipv6") || tag.equals("wan_ipv6")) && !IpText.isV6(address)) {
                return Optional.of(
                        "Service tagged address \"%s\" must be a valid ipv6 address"
                                .formatted(tag));
            }
        }
        return Optional.empty();
    }

    /** passing, warning, critical, or empty for the default. */
    public static boolean isInitialStatus(String status) {
        return status.isEmpty() || STATUSES.contains(status);
    }

    /** False for names that DNS can't ask for: they are accepted, with a warning in the log. */
    public static boolean isDnsName(String name) {
        return DNS_LABEL.matcher(name).matches();
    }
}
