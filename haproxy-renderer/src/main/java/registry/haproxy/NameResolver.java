package registry.haproxy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/**
 * Resolves host names of instances; a name that resolved once keeps its address while the resolver
 * is away. May block.
 */
final class NameResolver {
    private static final Pattern HOST =
            Pattern.compile("(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}\\.?)+");

    private final boolean allowed;
    private final Map<String, InetAddress> known = new ConcurrentHashMap<>();

    NameResolver(boolean allowed) {
        this.allowed = allowed;
    }

    boolean isAllowed() {
        return allowed;
    }

    Optional<InetAddress> resolve(String name) {
        if (!allowed || !HOST.matcher(name).matches()) {
            return Optional.empty();
        }
        try {
            InetAddress address = InetAddress.getByName(name);
            known.put(name, address);
            return Optional.of(address);
        } catch (UnknownHostException e) {
            return Optional.ofNullable(known.get(name));
        }
    }
}
