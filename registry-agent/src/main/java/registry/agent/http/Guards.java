package registry.agent.http;

import java.net.InetAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import registry.agent.config.AgentConfig;

/**
 * Who may use what: {@code block_endpoints}, {@code allow_write_http_from}, and what browsers are
 * kept from.
 */
final class Guards {
    /** A range of addresses as {@code 10.0.0.0/8} names it. */
    private record Network(byte[] address, int bits) {
        static Network parse(String text) {
            try {
                int slash = text.indexOf('/');
                byte[] address =
                        InetAddress.ofLiteral(slash < 0 ? text : text.substring(0, slash))
                                .getAddress();
                int bits =
                        slash < 0
                                ? address.length * 8
                                : Integer.parseInt(text.substring(slash + 1));
                if (bits < 0 || bits > address.length * 8) {
                    throw new IllegalArgumentException("prefix length " + bits);
                }
                return new Network(address, bits);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(
                        "http_config.allow_write_http_from: \""
                                + text
                                + "\" is not a network as in \"10.0.0.0/8\"",
                        e);
            }
        }

        boolean contains(byte[] other) {
            if (other.length != address.length) {
                return false;
            }
            for (int bit = 0; bit < bits; bit++) {
                int mask = 0x80 >> (bit & 7);
                if ((other[bit >> 3] & mask) != (address[bit >> 3] & mask)) {
                    return false;
                }
            }
            return true;
        }
    }

    private final List<String> blocked;
    private final List<Network> writers;
    private final List<String> allowedHosts;
    private final @Nullable String trustedOrigin;

    Guards(AgentConfig.HttpConfig config) {
        blocked = List.copyOf(config.blockEndpoints());
        var networks = new ArrayList<Network>();
        config.allowWriteHttpFrom().forEach(text -> networks.add(Network.parse(text)));
        writers = List.copyOf(networks);
        allowedHosts =
                config.allowedHosts().stream().map(host -> host.toLowerCase(Locale.ROOT)).toList();
        trustedOrigin = config.responseHeaders().get("Access-Control-Allow-Origin");
    }

    boolean blocks(String path) {
        for (String prefix : blocked) {
            if (path.startsWith(prefix)) {
                return true;
            }
        }
        return false;
    }

    /** Whether a client of that address may change anything. */
    boolean mayWrite(@Nullable InetAddress client) {
        if (writers.isEmpty() || client == null) {
            return true;
        }
        byte[] address = client.getAddress();
        return writers.stream().anyMatch(network -> network.contains(address));
    }

    /**
     * Why a browser is not answered, null when it is. A page of another site must not write, and
     * must not read by a name of its own that it lets point here (DNS rebinding). Requests without
     * a browser's signs are not judged.
     */
    @Nullable String browserFault(boolean write, UnaryOperator<@Nullable String> headers) {
        String origin = headers.apply("Origin");
        String site = headers.apply("Sec-Fetch-Site");
        if (origin == null && site == null) {
            return null;
        }
        String host = headers.apply("Host");
        if (host == null || !isAllowedHost(nameOf(host))) {
            return "Host \"" + host + "\" is refused to browsers, see http_config.allowed_hosts";
        }
        if (write && isForeign(origin, site, host)) {
            return "A page of another site may not change anything";
        }
        return null;
    }

    private boolean isForeign(@Nullable String origin, @Nullable String site, String host) {
        if (origin != null) {
            return !origin.equals(trustedOrigin) && !host.equalsIgnoreCase(authorityOf(origin));
        }
        return site != null && !site.equals("same-origin") && !site.equals("none");
    }

    private static @Nullable String authorityOf(String origin) {
        try {
            return URI.create(origin).getRawAuthority();
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    private static String nameOf(String host) {
        if (host.startsWith("[")) {
            int end = host.indexOf(']');
            return end < 0 ? host : host.substring(1, end);
        }
        int colon = host.lastIndexOf(':');
        return (colon < 0 ? host : host.substring(0, colon)).toLowerCase(Locale.ROOT);
    }

    private boolean isAllowedHost(String name) {
        return name.equals("localhost")
                || name.endsWith(".consul")
                || allowedHosts.contains(name)
                || isLiteral(name);
    }

    private static boolean isLiteral(String name) {
        try {
            return !name.isEmpty() && InetAddress.ofLiteral(name) != null;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
