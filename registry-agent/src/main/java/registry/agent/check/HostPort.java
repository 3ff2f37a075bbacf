package registry.agent.check;

import java.io.IOException;

/** {@code host:port} or {@code [v6]:port}, as checks name what they connect to. */
record HostPort(String host, int port) {
    /**
     * @param defaultPort where the text names none; -1: it must
     * @throws IOException as in {@code dial tcp: address foo: missing port in address}
     */
    static HostPort parse(String text, int defaultPort) throws IOException {
        int bracket = text.lastIndexOf(']');
        int colon = text.lastIndexOf(':');
        boolean hasPort = colon > bracket && (bracket >= 0 || text.indexOf(':') == colon);
        if (!hasPort) {
            if (defaultPort < 0) {
                throw new IOException("dial tcp: address " + text + ": missing port in address");
            }
            return new HostPort(bare(text), defaultPort);
        }
        try {
            int port = Integer.parseInt(text.substring(colon + 1));
            if (port < 0 || port > 65535) {
                throw new NumberFormatException();
            }
            return new HostPort(bare(text.substring(0, colon)), port);
        } catch (NumberFormatException e) {
            throw new IOException(
                    "dial tcp: address " + text.substring(colon + 1) + ": invalid port", e);
        }
    }

    private static String bare(String host) {
        String bare =
                host.startsWith("[") && host.endsWith("]")
                        ? host.substring(1, host.length() - 1)
                        : host;
        return bare.isEmpty() ? "localhost" : bare;
    }
}
