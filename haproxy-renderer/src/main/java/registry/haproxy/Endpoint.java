package registry.haproxy;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An IP address and a port: what HAProxy connects to. Only ever made of parsed numbers, so its text
 * is safe to write anywhere.
 */
record Endpoint(InetAddress address, int port) {
    private static final Pattern IPV4 =
            Pattern.compile("(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})");
    private static final Pattern IPV6 = Pattern.compile("[0-9a-fA-F:.]{2,45}");

    /** What a server slot that is not in use points to. */
    static final Endpoint UNUSED = new Endpoint(InetAddress.ofLiteral("127.0.0.1"), 1);

    /** The address, or empty when {@code text} is anything but a plain IPv4 or IPv6 address. */
    static Optional<InetAddress> parseAddress(String text) {
        Matcher four = IPV4.matcher(text);
        try {
            if (four.matches()) {
                byte[] bytes = new byte[4];
                for (int at = 0; at < 4; at++) {
                    int value = Integer.parseInt(four.group(at + 1));
                    // "010" is 8 to some readers and 10 to others.
                    if (value > 255
                            || four.group(at + 1).length() > 1
                                    && four.group(at + 1).charAt(0) == '0') {
                        return Optional.empty();
                    }
                    bytes[at] = (byte) value;
                }
                return Optional.of(InetAddress.getByAddress(bytes));
            }
            if (text.indexOf(':') >= 0 && IPV6.matcher(text).matches()) {
                return Optional.of(InetAddress.ofLiteral(text));
            }
            return Optional.empty();
        } catch (IllegalArgumentException | UnknownHostException e) {
            return Optional.empty();
        }
    }

    /** The address without brackets, as the runtime API takes it. */
    String addressText() {
        return address.getHostAddress();
    }

    /** As a {@code server} line takes it. */
    @Override
    public String toString() {
        return address instanceof Inet6Address
                ? "[" + addressText() + "]:" + port
                : addressText() + ":" + port;
    }
}
