package registry.agent.config;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;

/** IP addresses in text, told from names without ever asking a resolver. */
public final class IpText {
    private IpText() {}

    /** Four decimal numbers; the shorter forms of inet_aton are none. */
    public static boolean isV4(String text) {
        return text.chars().filter(c -> c == '.').count() == 3 && parses(text, Inet4Address.class);
    }

    /** Colons and hexadecimal digits, without brackets; a zone may follow. */
    public static boolean isV6(String text) {
        return text.indexOf(':') >= 0
                && !text.startsWith("[")
                && (parses(text, Inet6Address.class) || parses(text, Inet4Address.class));
    }

    public static boolean isIp(String text) {
        return isV4(text) || isV6(text);
    }

    /** 0.0.0.0 or ::, which listen everywhere and can't be told to anybody. */
    public static boolean isAny(String text) {
        return isIp(text) && InetAddress.ofLiteral(text).isAnyLocalAddress();
    }

    private static boolean parses(String text, Class<? extends InetAddress> family) {
        try {
            return family.isInstance(InetAddress.ofLiteral(text));
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
